"""The composition root: builds every object once. The only place that knows all; no logic."""

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from daybook.access.state import NOBODY, AccessState
from daybook.authentication.current import CurrentAccess
from daybook.channel.registry import TYPES, Registry, installed
from daybook.commands.book import Book
from daybook.commands.decision_view import FOLDS
from daybook.config import Settings
from daybook.log.application import Log
from daybook.log.reader import Reader
from daybook.postgres.pool import pool

POOL_CONNECTIONS = 24


class App:
    """The write side and the questions, on one pool of connections. Close it, or use it as a context."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry | None = None,
        appended: Callable[[], None] | None = None,
        *,
        connections: int = POOL_CONNECTIONS,
        kept: int = 0,
        access: AccessState = NOBODY,
    ) -> None:
        """`kept`: so many connections are opened at once and never given back, whatever else needs some.

        `access`: who is known besides those in the log, see `CurrentAccess`.
        """
        self.settings = settings
        self.pool = pool(settings.require_postgres(), "app", connections, kept)
        self.log = Log(self.pool, FOLDS)
        self.reader = Reader(self.pool)
        self.access = CurrentAccess(self.reader, self.log, self.pool, access)
        self.registry = (registry or installed()).following(partial(self.reader.of_types, TYPES))
        self.book = Book(self.log, self.reader, self.registry.installed, appended, self.registry.kinds())

    def close(self) -> None:
        """Lets go of the connections."""
        self.pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
