"""Telling an old primary that it is one, in its own database: from then on it takes no append, whoever sends it.

What a process remembers protects that process. What stands in the old primary protects it from those that begin later,
that reach nobody but it, and that know nothing: psql and older versions of Daybook too.
"""

import logging
from typing import Any, LiteralString

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

from daybook.postgres.places import PostgresPlace
from daybook.postgres.silence import watched

log = logging.getLogger("daybook.postgres")

# Made by a migration of the log; a database that has none yet can't be fenced.
_FENCE: LiteralString = "SELECT fence_server(%s)"
_INTERVAL = 0.1


class _Fencing(psycopg.Connection[TupleRow]):
    """A session with a server that is known to be an old one, whose statements fail when it hangs."""

    place: PostgresPlace

    def wait(self, gen: PQGen[Any], interval: float = _INTERVAL, timeout: float | None = None) -> Any:
        return super().wait(watched(gen, self.place), interval, timeout)


def fence(place: PostgresPlace, conninfo: str, newest: int) -> bool:
    """Writes the newest timeline beside the old primary's head. False when that failed: another process may, or later.

    Needs the right to append. Once is enough for each place and timeline.
    """
    if place.fenced >= newest:
        return True
    try:
        with _Fencing.connect(conninfo, autocommit=True) as conn:
            conn.place = place
            conn.execute(_FENCE, (newest,), prepare=False)
    except psycopg.Error as error:
        log.debug("%s can't be told that it is an old primary: %s", place.name, error)
        return False
    place.fenced = newest
    log.warning("%s was told that timeline %d has begun: it takes no append any more", place.name, newest)
    return True
