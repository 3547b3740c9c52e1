"""Where the servers are, and the application on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from daybook.cli.grammar import Given
from daybook.cli.render import note

if TYPE_CHECKING:
    from daybook.app import App
    from daybook.config import Settings


def settings(given: Given) -> Settings:
    """What the environment and the options say."""
    from daybook.config import from_environment

    return from_environment(given.environ, given.data)


def connected(given: Given) -> Settings:
    """The settings, with the servers of a running `daybook up` on the same data folder where none are named."""
    from msgspec.structs import replace

    found = settings(given)
    if found.postgres and found.nats:
        return found
    from daybook.embedded.servers import Servers

    running = Servers.running(found.data)
    if running is None:
        return found
    return replace(found, postgres=found.postgres or running.postgres, nats=found.nats or running.nats)


@contextmanager
def serving(given: Given) -> Iterator[Settings]:
    """Settings with servers that answer: those of `connected`, else embedded ones that end with the block."""
    found = connected(given)
    if found.postgres:
        yield found
        return
    with embedded(given, found) as started:
        yield started


@contextmanager
def embedded(given: Given, found: Settings) -> Iterator[Settings]:
    """Embedded servers on the data folder, migrated, until the block ends. Named ones are used as they are."""
    from msgspec.structs import replace

    from daybook.embedded.servers import Servers
    from daybook.embedded.supervisor import sigterm_interrupts
    from daybook.postgres.migrate import migrate

    note(given, f"no `daybook up` runs on {found.data}: starting the servers for this command")
    with sigterm_interrupts(), Servers.start(found.data, postgres=found.postgres, nats=found.nats) as started:
        if found.postgres is None:
            migrate(started.postgres_dsn)
        yield replace(found, postgres=started.postgres_dsn, nats=started.nats_url)


@contextmanager
def reading(given: Given) -> Iterator[App]:
    """The application, for questions."""
    from daybook.app import App

    with serving(given) as found, App(found) as app:
        check_migrated(given, app)
        yield app


@contextmanager
def writing(given: Given) -> Iterator[App]:
    """The application, for commands: what is appended wakes the relay."""
    from daybook import roles

    with serving(given) as found, roles.writing(found) as app:
        check_migrated(given, app)
        yield app


def check_migrated(given: Given, app: App) -> None:
    """Raises BadConfiguration when the database is not in the shape that this program needs.

    A database of our own is brought into that shape; one that was named belongs to somebody who decides when.
    """
    from daybook.errors import BadConfiguration
    from daybook.postgres.migrate import migrate
    from daybook.queries.readiness import missing_migrations

    missing = missing_migrations(app.pool)
    if not missing:
        return
    if settings(given).postgres is None:
        migrate(app.settings.require_postgres())
        return
    raise BadConfiguration(
        f"the database is not up to date, {len(missing)} migrations are missing (first {missing[0]}): "
        "run `daybook migrate`",
        missing=missing,
    )
