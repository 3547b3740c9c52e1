"""How far each channel was asked for its orders, in Postgres."""

from datetime import datetime

import msgspec

from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

ERROR_LENGTH_MAX = 500


class OrderCursor(msgspec.Struct, frozen=True):
    """How far a channel was asked."""

    since: datetime
    newest: datetime | None
    page: str | None


class OrderCursors:
    """The cursors, in Postgres. Raises Unavailable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def read(self, channel: str, first: datetime) -> OrderCursor:
        """Where the channel's cursor is; at `first` when it was never asked."""
        fetch(self._pool, QUERIES["begin"], (channel, first))
        return OrderCursor(*fetch(self._pool, QUERIES["cursor"], (channel,))[0])

    def want(self, channel: str, wanted: bool) -> None:
        """Whether its orders are let in at present: one that nobody wants to be asked is no trouble."""
        fetch(self._pool, QUERIES["want"], {"channel": channel, "wanted": wanted})

    def move(self, channel: str, to: OrderCursor) -> None:
        """A page was kept."""
        fetch(self._pool, QUERIES["move"], {"channel": channel, **msgspec.structs.asdict(to)})

    def fail(self, channel: str, error: str) -> None:
        """The channel can't be asked."""
        fetch(self._pool, QUERIES["fail"], {"channel": channel, "error": error[:ERROR_LENGTH_MAX]})
