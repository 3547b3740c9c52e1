"""Where the servers are, and the application on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from daybook.terminal.options import CommonOptions
from daybook.terminal.render import note

if TYPE_CHECKING:
    from daybook.app import App
    from daybook.config import Settings


def settings(common: CommonOptions) -> Settings:
    """What the environment and the options say."""
    from daybook.config import from_environment

    return from_environment(common.environ, common.data)


def connected(common: CommonOptions) -> Settings:
    """The settings, with the servers of a running `daybook up` on the same data folder where none are named."""
    from msgspec.structs import replace

    found = settings(common)
    if found.postgres and found.nats:
        return found
    from daybook.embedded.servers import Servers

    running = Servers.running(found.data)
    if running is None:
        return found
    return replace(found, postgres=found.postgres or running.postgres, nats=found.nats or running.nats)


@contextmanager
def serving(common: CommonOptions) -> Iterator[Settings]:
    """Settings with servers that answer: those of `connected`, else embedded ones that end with the block."""
    found = connected(common)
    if found.postgres:
        yield found
        return
    with embedded(common, found) as started:
        yield started


@contextmanager
def embedded(common: CommonOptions, found: Settings) -> Iterator[Settings]:
    """Embedded servers on the data folder, migrated, until the block ends. Named ones are used as they are."""
    from msgspec.structs import replace

    from daybook.embedded.servers import Servers
    from daybook.embedded.supervisor import sigterm_interrupts
    from daybook.postgres.migrate import migrate

    begins = "" if Servers.begun(found.data) else ", which is empty: a new Daybook begins there"
    note(common, f"no `daybook up` runs on {found.data}{begins}. Starting the servers for this command")
    with sigterm_interrupts(), Servers.start(found.data, postgres=found.postgres, nats=found.nats) as started:
        if found.postgres is None:
            migrate(started.postgres_dsn)
        yield replace(found, postgres=started.postgres_dsn, nats=started.nats_url)


@contextmanager
def app_for_queries(common: CommonOptions) -> Iterator[App]:
    """The application, for questions. Raises NotFound where there is no Daybook to ask: a question never begins one."""
    from daybook.app import App

    _check_begun(connected(common))
    with serving(common) as found, App(found) as app:
        check_migrated(common, app)
        yield app


def _check_begun(found: Settings) -> None:
    from daybook.embedded.servers import Servers
    from daybook.errors import NotFound

    if found.postgres is None and not Servers.begun(found.data):
        raise NotFound(
            f"there is no Daybook in {found.data}: say where it is with --data or DAYBOOK_DATA, or with "
            "DAYBOOK_POSTGRES; `daybook up` begins a new one there",
            folder=str(found.data),
        )


@contextmanager
def app_for_commands(common: CommonOptions) -> Iterator[App]:
    """The application, for commands: what is appended wakes the relay."""
    from daybook.roles import processes

    with serving(common) as found, processes.writing(found) as app:
        check_migrated(common, app)
        yield app


def check_migrated(common: CommonOptions, app: App) -> None:
    """Raises BadConfiguration when the database is not in the shape that this program needs.

    A database of our own is brought into that shape; one that was named belongs to somebody who decides when.
    """
    from daybook.errors import BadConfiguration
    from daybook.postgres.migrate import KEYS, migrate
    from daybook.queries.readiness import missing_migrations

    missing = missing_migrations(app.pool)
    elsewhere = app.settings.keys_postgres
    if not missing and elsewhere:
        missing = missing_migrations(app.keys_pool, KEYS)
    if not missing:
        return
    if settings(common).postgres is None:
        migrate(app.settings.require_postgres())
        if elsewhere:
            migrate(elsewhere, KEYS)
        return
    raise BadConfiguration(
        f"the database is not up to date, {len(missing)} migrations are missing (first {missing[0]}): "
        "run `daybook migrate`",
        missing=missing,
    )
