"""One role, the migrations, the settings."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from daybook.addresses import mask
from daybook.app import App
from daybook.authentication.current import NOBODY_YET
from daybook.config import Settings
from daybook.embedded.servers import Servers
from daybook.errors import BadConfiguration, Unavailable
from daybook.postgres import roles
from daybook.postgres.migrate import KEYS, LINES, migrate
from daybook.roles import processes
from daybook.roles.intake import intake
from daybook.runtime import logs
from daybook.runtime.keys import migrated_keys
from daybook.stream.witness import witnessed
from daybook.terminal.context import check_migrated, connected
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import line, stacked
from daybook.terminal.tables import table
from daybook.web.authorise import authorised

log = logging.getLogger("daybook.http")


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
        "clock": processes.clock,
        "deliver": partial(processes.deliver, names=only),
        "intake": partial(intake, authorise=authorised, names=only),
    }
    processes.run(known[role], found)


async def api(found: Settings, stop: asyncio.Event) -> None:
    """Serves HTTP. It stops on the signals itself: requests under way are finished."""
    from daybook.http.application import create
    from daybook.server.api_server import ApiServer

    with witnessed(found.nats), processes.writing(found, processes.API_CONNECTIONS_KEPT) as app:
        with contextlib.suppress(Unavailable):
            if not app.access.state().anybody:
                log.warning(NOBODY_YET)
        await ApiServer(create(app), found).serve()


class Migrated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was done to the database."""

    applied: list[str]
    """The migrations that were missing."""
    roles: list[str] | None = None
    """Roles that were made; None when roles were not asked for."""
    sql: list[str] | None = None
    """What would be run for the roles, when it was only to be shown."""


def migrated(found: Settings, *, with_roles: bool, passwords: Path | None, dry_run: bool) -> Migrated:
    """Applies what is missing, and lets the roles do what this version needs. Raises BadConfiguration, NotPermitted."""
    dsn = found.require_postgres()
    given = _passwords(passwords) if passwords is not None else {}
    places: list[tuple[str, roles.Lines]] = [(dsn, LINES)]
    if found.keys_postgres:
        places.append((found.keys_postgres, KEYS))
    if dry_run:
        return Migrated(applied=[], sql=[one for at, lines in places for one in roles.statements(at, given, lines)])
    applied = [*migrate(dsn), *migrated_keys(found)]
    if with_roles:
        return Migrated(
            applied=applied, roles=[name for at, lines in places for name in roles.make_roles(at, given, lines)]
        )
    if applied:
        for at, lines in places:
            roles.renew(at, lines)
    return Migrated(applied=applied)


def _passwords(folder: Path) -> dict[str, str]:
    """By role, what the file of its name in this folder holds. Roles without a file keep what they have."""
    found: dict[str, str] = {}
    for role in roles.ROLES:
        try:
            found[role] = (folder / role).read_text(encoding="utf-8").strip("\r\n")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfiguration(f"{folder / role} can't be read: {error}", file=str(folder / role)) from None
    if not found:
        names = ", ".join(roles.ROLES)
        raise BadConfiguration(f"{folder} holds no password: name a file for each role ({names})", folder=str(folder))
    empty = [role for role, password in found.items() if not password]
    if empty:
        raise BadConfiguration(f"{folder / empty[0]} is empty: a password is wanted there", file=str(folder / empty[0]))
    return found


def migrations(done: Migrated) -> Callable[..., None]:
    """For a person."""
    if done.sql is not None:
        return stacked(*(line(f"{statement.rstrip().rstrip(';')};") for statement in done.sql))
    said = [f"applied {name}" for name in done.applied] or ["no change: the database is up to date"]
    if done.roles is not None:
        said += [f"made the role {name}" for name in done.roles]
        said.append("every role may do its work, and no more")
    return stacked(*(line(one) for one in said))


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
