"""Sessions of browsers: what a browser shows is random and kept as a hash; who ends one is believed within a second.

A session holds until it ends, until nobody used it for a while, and no longer than its whole life. A process
trusts what it looked up for half a second, as with everything about access.
"""

import logging
import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from daybook.access.sessions import PresentedSession, matches, secret_hash_of, spelled
from daybook.errors import DaybookError
from daybook.http_settings import HttpSettings
from daybook.ids import new_secret, short_id
from daybook.postgres.permission import REFUSALS
from daybook.postgres.pool import Pool, fetch, reachable
from daybook.postgres.sql import beside

log = logging.getLogger("daybook.authentication")

QUERIES = beside(__file__)
FRESH_SECONDS = 0.5
KNOWN_MAX = 10_000
NOTED_SECONDS = 60.0


class LoginSession(msgspec.Struct, frozen=True, kw_only=True):
    """A login that holds."""

    session: str
    """`ses_…`, public."""
    user: str
    identity: str
    """By whose word."""
    began_at: datetime
    last_used_at: datetime
    """To the minute."""
    expires_at: datetime
    """It ends then at the latest."""


class Sessions:
    """Thread-safe. Blocks for Postgres."""

    def __init__(self, pool: Pool, settings: HttpSettings) -> None:
        self._pool = pool
        self._life = timedelta(hours=settings.session_hours)
        self.idle = 60.0 * settings.session_idle_minutes
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, str, LoginSession]] = OrderedDict()

    def expiry(self) -> datetime:
        """When a session that begins now ends at the latest."""
        return datetime.now(UTC) + self._life

    def begin(self, session: str, user: str, identity: str, login_hash: str, expires_at: datetime) -> str | None:
        """What the browser gets, once; None when the login has begun a session before. Raises Unavailable."""
        secret = new_secret()
        shown = spelled(session, secret)
        given = {
            "session": session,
            "secret": secret_hash_of(shown),
            "login": login_hash,
            "user": user,
            "identity": identity,
            "expires": expires_at,
        }
        with reachable(), self._pool.connection() as conn:
            conn.execute(QUERIES["forget"], {"idle": self.idle})
            return shown if conn.execute(QUERIES["begin"], given).fetchone() else None

    def find(self, shown: PresentedSession) -> LoginSession | None:
        """The session that a browser shows, while it holds. Raises Unavailable."""
        with self._lock:
            known = self._known.get(shown.session)
        if known is None or time.monotonic() - known[0] > FRESH_SECONDS:
            asked = time.monotonic()
            rows = fetch(self._pool, QUERIES["find"], {"session": shown.session, "idle": self.idle})
            if not rows:
                self._forget(shown.session)
                return None
            known = (asked, rows[0][0], _session(rows[0][1:]))
            with self._lock:
                self._known[shown.session] = known
                if len(self._known) > KNOWN_MAX:
                    self._known.popitem(last=False)
            self._note(known[2])
        return known[2] if matches(shown, known[1]) else None

    def known(self, shown: PresentedSession) -> LoginSession | None:
        """The same out of memory, without a look: None says nothing."""
        known = self._known.get(shown.session)
        if known is None or time.monotonic() - known[0] > FRESH_SECONDS or not matches(shown, known[1]):
            return None
        return known[2]

    def end(self, session: str) -> LoginSession | None:
        """Ends it; None when it does not hold any more, or never did. Raises Unavailable."""
        with reachable(), self._pool.connection() as conn:
            row = conn.execute(QUERIES["end"], {"session": session, "idle": self.idle}).fetchone()
        self._forget(session)
        return None if row is None else _session(row)

    def standing(self, user: str | None = None) -> list[LoginSession]:
        """Those that hold, of everybody or of one user, the newest first. Raises Unavailable."""
        found = [_session(row) for row in fetch(self._pool, QUERIES["standing"], {"idle": self.idle})]
        return [one for one in found if user in (None, one.user)]

    def _note(self, session: LoginSession) -> None:
        """Notes the use; what can't be noted ends the session a little earlier."""
        if time.time() - session.last_used_at.timestamp() < NOTED_SECONDS:
            return
        try:
            with reachable(), self._pool.connection() as conn:
                conn.execute(QUERIES["use"], (session.session,))
        except (DaybookError, *REFUSALS):
            log.warning("that a session was used could not be noted", exc_info=True)

    def _forget(self, session: str) -> None:
        with self._lock:
            self._known.pop(session, None)


def new_session() -> str:
    """The public part of a session's name."""
    return short_id("ses_")


def _session(row: Any) -> LoginSession:
    return LoginSession(
        session=row[0], user=row[1], identity=row[2], began_at=row[3], last_used_at=row[4], expires_at=row[5]
    )
