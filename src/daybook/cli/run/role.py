"""One role, the migrations, the settings."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from daybook.addresses import mask
from daybook.app import App
from daybook.cli.context import check_migrated, connected
from daybook.cli.options import CommonOptions
from daybook.cli.render import line, stacked
from daybook.cli.run import logs
from daybook.cli.tables import table
from daybook.config import Settings
from daybook.embedded.servers import Servers
from daybook.errors import Unavailable
from daybook.postgres.migrate import migrate
from daybook.roles import processes


def run(common: CommonOptions, role: str, only: tuple[str, ...]) -> None:
    """Runs a role until it is told to stop. Raises BadConfiguration when there are no servers to run on."""
    found = connected(common)
    found.require_postgres()
    logs.start(found, role)
    # A server that is not there yet is waited for by the role itself.
    with contextlib.suppress(Unavailable), App(found) as app:
        check_migrated(common, app)
    known: dict[str, processes.Role] = {
        "api": api,
        "relay": processes.relay,
        "project": partial(processes.project, names=only),
        "deliver": partial(processes.deliver, names=only),
    }
    processes.run(known[role], found)


async def api(found: Settings, stop: asyncio.Event) -> None:
    """Serves HTTP. It stops on the signals itself: requests under way are finished."""
    from daybook.http.application import create
    from daybook.http.server import ApiServer

    with processes.writing(found, processes.API_CONNECTIONS_KEPT) as app:
        await ApiServer(create(app), found).serve()


def migrated(found: Settings) -> list[str]:
    """The migrations that were missing, applied."""
    return migrate(found.require_postgres())


def migrations(applied: list[str]) -> Callable[..., None]:
    """For a person."""
    if not applied:
        return line("no change: the database is up to date")
    return stacked(*(line(f"applied {name}") for name in applied))


def shown(found: Settings) -> dict[str, Any]:
    """The settings, and the servers of a `daybook up` that runs on the data folder."""
    running = Servers.running(found.data)
    servers = running and {"pid": running.pid, "postgres": mask(running.postgres), "nats": mask(running.nats)}
    return {**found.shown(), "running": servers}


def config(found: dict[str, Any]) -> Callable[..., None]:
    """For a person."""
    absent = "not set: embedded servers are used"
    rows = [(name, absent if name in ("postgres", "nats") and not one else one) for name, one in found.items()]
    return table(("setting", "value"), rows)
