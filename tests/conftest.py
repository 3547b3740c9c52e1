"""The servers' fixtures, for every test below this folder."""

import os

os.environ.pop("COLUMNS", None)  # a test's worker has one, and the program keeps to it

pytest_plugins = ["tests.fixtures.servers"]
