"""A whole Daybook on a folder of its own, as `daybook up` runs it, with wires that can be cut and two of each role."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg
from msgspec.structs import replace

from daybook.app import App
from daybook.channel.registry import installed
from daybook.config import Settings
from daybook.demo.marketplaces import Marketplaces
from daybook.embedded.server_supervisor import ServerSupervisor
from daybook.embedded.servers import Servers
from daybook.embedded.supervisor import Supervisor
from daybook.postgres.migrate import migrate
from daybook.postgres.roles import NAMES, OF_PROCESS, make_roles, name_of
from daybook.runtime.up import free_port, role_environment, wait_ready
from daybook.stream.permissions import USERS
from daybook.terminal.key import file
from tests.chaos.api import Api
from tests.chaos.links import Wire, of_nats, of_postgres, through_nats, through_postgres, wire
from tests.fixtures.clocks import movable_clock, set_clock

ROLES = ("relay", "project", "deliver", "clock", "api")
TWICE = ("relay", "project", "deliver")
"""Roles of which two run, so that one can be overtaken."""


class Shops(Marketplaces):
    """The marketplaces, each of which can be off for a while."""

    def switch_off(self, name: str) -> None:
        """Nobody listens at its address any more; what it knows stays."""
        self._wait(self._boxes[name].stop())

    def switch_on(self, name: str, url: str) -> None:
        """It is back at the address that it had."""
        self._wait(self._boxes[name].start(int(url.rpartition(":")[2])))


class World:
    """What the faults, the writers and the checks lay hands on."""

    def __init__(self, data: Path, servers: Servers, shops: Shops, roles: Supervisor, found: Settings) -> None:
        self.data, self.servers, self.shops, self.roles = data, servers, shops, roles
        self.channels = tuple(sorted(shops.all()))
        self.api = Api(f"http://127.0.0.1:{found.http_port}", {"Authorization": f"Bearer {file.read(data)}"})
        self.to_postgres: Wire
        self.to_nats: Wire
        self.skew = 0.0
        """Seconds that Postgres's clock is ahead."""
        self.steps: list[str] = []
        """What the status asked a person to do, and was done."""
        self._begun: list[subprocess.Popen[bytes]] = []

    def pids(self, role: str) -> list[int]:
        """The processes of a role that run just now."""
        return [pid for name, pid in self.roles.pids().items() if name.partition("-")[0] == role]

    def server(self, name: str) -> list[psutil.Process]:
        """A server with the processes that it has begun; the first is the server itself."""
        owner = self.servers.postgres if name == "postgres" else self.servers.nats
        assert owner is not None
        first = psutil.Process(owner.pid)
        return [first, *first.children(recursive=True)]

    def set_clock(self, seconds: float) -> None:
        """Postgres's clock, in seconds ahead. Waits for a Postgres that is away."""
        assert until(lambda: self._clock_is_set(seconds), 60.0), "Postgres's clock can't be set"
        self.skew = seconds

    def _clock_is_set(self, seconds: float) -> bool:
        try:
            set_clock(self.servers.postgres_dsn, seconds)
        except psycopg.OperationalError:
            return False
        return True

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """Asks Postgres itself, not by the wire."""
        with psycopg.connect(self.servers.postgres_dsn, connect_timeout=10) as conn:
            return conn.execute(query.encode(), given).fetchall()

    def command(self, *arguments: str) -> list[str]:
        """The program on this folder."""
        return [sys.executable, "-P", "-m", "daybook", *arguments, "--data", str(self.data)]

    def begin(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Begins a command of the program, which does not outlive this world."""
        quiet = subprocess.DEVNULL
        child = subprocess.Popen(self.command(*arguments), stdin=quiet, stdout=quiet, stderr=quiet)
        self._begun.append(child)
        return child

    def end_begun(self) -> None:
        """Kills the commands that still run."""
        for child in self._begun:
            child.kill()
            child.wait()

    def run(
        self, *arguments: str, timeout: float = 180.0, given: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Runs the program and waits for it."""
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=timeout, check=False, input=given
        )

    def logs(self, lines: int = 30) -> dict[str, str]:
        """The end of what each role and server wrote."""
        return {
            path.stem: "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
            for path in sorted((self.data / "logs").glob("*.log"))
        }


@contextlib.contextmanager
def world(data: Path, channels: Sequence[str], on_progress: Callable[[str], None]) -> Iterator[World]:
    """Starts everything and ends all of it, also what a fault has stopped."""
    with contextlib.ExitStack() as stack:
        found = Settings(data=data, http_port=free_port("127.0.0.1", 0))
        users = {name: permitted.of(name) for name, permitted in USERS.items()}
        servers = stack.enter_context(Servers.start(data, users=users, roles=NAMES))
        migrate(servers.postgres_dsn)
        make_roles(servers.postgres_dsn)
        movable_clock(servers.postgres_dsn)
        with App(replace(found, postgres=servers.postgres_dsn, nats=servers.nats_url)) as app:
            file.make_first(app, data, "chaos")
        to_postgres = stack.enter_context(wire(lambda: of_postgres(servers.postgres_dsn)))
        to_nats = stack.enter_context(wire(lambda: of_nats(servers.nats_url)))
        shops = Shops(installed(), channels)
        stack.callback(shops.stop)
        roles = Supervisor(data)
        stack.callback(roles.stop)

        def addresses(role: str) -> dict[str, str]:
            postgres, nats = servers.postgres_dsn_of(name_of(OF_PROCESS[role])), servers.nats_url_of(role)
            return {
                "DAYBOOK_POSTGRES": through_postgres(postgres, to_postgres.port),
                "DAYBOOK_NATS": through_nats(nats, to_nats.port),
            }

        known = replace(found, postgres=servers.postgres_dsn, nats=servers.nats_url)
        kept = {name: one for name, one in os.environ.items() if not name.startswith("DAYBOOK_")}
        environment = role_environment({**kept, **shops.environment()}, known, tuple(channels))
        names = {name: role for role in ROLES for name in ((role, f"{role}-2") if role in TWICE else (role,))}
        for name, role in names.items():
            roles.run(name, [sys.executable, "-P", "-m", "daybook", "run", role], environment | addresses(role))

        def move() -> None:
            roles.change_environments({name: addresses(role) for name, role in names.items()})

        stack.enter_context(ServerSupervisor(servers, on_progress, move))
        wait_ready(found)
        made = World(data, servers, shops, roles, found)
        made.to_postgres, made.to_nats = to_postgres, to_nats
        stack.callback(made.end_begun)
        yield made


def until(condition: Callable[[], bool], timeout: float, every: float = 0.2) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def decoded(text: str) -> Any:
    """What a command printed with --json."""
    return json.loads(text)
