"""The servers' fixtures, for every test below this folder."""

pytest_plugins = ["tests.fixtures.servers"]
