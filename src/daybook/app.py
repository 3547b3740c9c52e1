"""The composition root: builds every object once. The only place that knows all; no logic."""

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from daybook.access.state import NOBODY, AccessState
from daybook.authentication.current import CurrentAccess
from daybook.authentication.logins import Logins
from daybook.authentication.sessions import Sessions
from daybook.channel.registry import TYPES, Registry, installed
from daybook.commands.book import Book
from daybook.commands.decision_view import SNAPSHOTS
from daybook.commands.disclosure import Disclosures
from daybook.commands.erasure import Erasure
from daybook.commands.order_intake import OrderIntake
from daybook.commands.people import People
from daybook.config import Settings
from daybook.delivery.erasable import JOURNAL
from daybook.identity.bearer import BearerTokens
from daybook.identity.login import BrowserLogin
from daybook.intake.heard import HEARD, HeardOrders
from daybook.log.application import Log
from daybook.log.reader import Reader
from daybook.people.erasures import ErasedFile, ErasureRows
from daybook.people.keys.keyring import Keyring, KeysHome
from daybook.people.keys.master import MasterKeys
from daybook.people.vault import Vault
from daybook.postgres.pool import pool

POOL_CONNECTIONS = 24
KEYS_CONNECTIONS = 2
PLACES = (JOURNAL, HEARD)
"""Every room that may keep copies of what is known of people declares its place here, or an erasure misses it."""


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
        self.appended = appended
        self.log = Log(self.pool, SNAPSHOTS)
        self.reader = Reader(self.pool)
        self.tokens = BearerTokens(settings.oidc)
        self.access = CurrentAccess(self.reader, self.log, self.pool, access, self.tokens)
        self.logins = Logins(self.log, Sessions(self.pool, settings.http), self.access, settings.http.address)
        self.browser_login = BrowserLogin(self.tokens.providers, settings.http.address)
        self.registry = (registry or installed()).following(partial(self.reader.of_types, TYPES))
        self.book = Book(self.log, self.reader, self.registry.installed, appended, self.registry.kinds())

        elsewhere = settings.keys_postgres
        self.keys_pool = pool(elsewhere, "keys", KEYS_CONNECTIONS) if elsewhere else self.pool
        self.keys = Keyring(self.keys_pool, KeysHome(self.pool), MasterKeys.parsed(settings.master_keys))
        self.vault = Vault(self.pool, self.keys)
        self.people = People(self.book, self.vault, self.keys)
        self.orders = OrderIntake(self.book, self.people)
        self.heard = HeardOrders(self.pool, self.keys)
        self.disclosures = Disclosures(self.vault, self.log, self.reader, self.pool)
        erasures, erased = ErasureRows(self.pool), ErasedFile(settings.erased_file)
        self.erasure = Erasure(self.book, self.vault, self.keys, erasures, erased, self.pool, PLACES)

    def close(self) -> None:
        """Lets go of the connections."""
        if self.keys_pool is not self.pool:
            self.keys_pool.close()
        self.pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
