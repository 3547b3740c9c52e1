"""Sessions: which server they are with, and whether that is still the primary.

Hazard: after a failover the old primary may come back to life. It knows of nothing, says that it is read-write, and
takes what it is sent: an append there would be acknowledged and lost. Postgres counts a timeline up whenever a standby
is promoted, so of two servers of one cluster the one with the lower number is the old one. This process remembers the
newest number that it has seen, and neither opens nor goes on with a session of a lower one. Where a connection string
names several servers, the others are asked once a second, so that a promotion is known before anybody needs it. An old
primary that is met is told so, and refuses appends by itself from then on (`fencing`). What others have seen comes in
through `learn`. docs/decisions/0024 and 0026 have the interleavings, and what only synchronous replication can prevent.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, LiteralString, Self

import msgspec
import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from daybook.errors import BadConfiguration
from daybook.postgres.fencing import fence
from daybook.postgres.places import PostgresPlace, PostgresPlaces, places
from daybook.postgres.silence import ServerHangs, watched

log = logging.getLogger("daybook.postgres")

CONNECT_TIMEOUT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS_OF_SEVERAL = 3
"""For each of several servers, the first of which may be gone."""
WATCH_SECONDS = 1.0
_INTERVAL = 0.1
_NETWORK: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A machine that is gone is noticed after about ten seconds, by one that waits too. What the string says wins."""

# Not as `options` at the start, which poolers refuse with a message that helps nobody.
_INTRODUCTION: LiteralString = "SELECT pg_backend_pid(), set_config('TimeZone', 'UTC', false)"
# A standby writes nothing, so it has no timeline of its own.
_TIMELINE: LiteralString = """
SELECT (SELECT system_identifier FROM pg_control_system()),
       CASE WHEN pg_is_in_recovery() THEN 0
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END"""
_POOLED = (
    "a connection pooler, such as PgBouncer, stands between Daybook and Postgres: it would mix up what Daybook sets "
    "for a session with other clients. Let DAYBOOK_POSTGRES name the server itself; Daybook keeps a pool of its own"
)


class OldPrimary(psycopg.OperationalError):
    """The server was the primary once; another one has been promoted since."""

    newest = 0
    """The timeline that has begun."""


class Cluster:
    """What this process knows of one cluster."""

    def __init__(self) -> None:
        self.newest = 0
        """The newest timeline that it has seen."""


_clusters: dict[int, Cluster] = {}
_UNKNOWN = Cluster()


class Timeline(msgspec.Struct, frozen=True):
    """Which primary of which cluster: the one with the highest number is the present one."""

    system: int
    """The cluster's identity, which its standbys share; 0 where the server does not tell it."""
    number: int
    """Counted up by each promotion; 0 of a standby, and where the server does not tell it."""

    def before(self, other: "Timeline") -> bool:
        """Whether the other one is a later primary of the same cluster."""
        return self.system == other.system and 0 < self.number < other.number


def learn(seen: Timeline) -> None:
    """What somebody else has seen: sessions of an older primary of that cluster are not used from now on."""
    cluster = _clusters.setdefault(seen.system, Cluster())
    if seen.number > cluster.newest:
        if cluster.newest:
            log.warning("timeline %d has begun, after %d", seen.number, cluster.newest)
        cluster.newest = seen.number


def timeline_of(conn: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]") -> Timeline:
    """Of the server that a session is with, as it was when the session began."""
    return conn.standing if isinstance(conn, _Standing) else Timeline(0, 0)


class _Standing:
    """Of a session: the server's place, its cluster, and the timeline that it wrote when the session began."""

    place: PostgresPlace = PostgresPlace({})
    cluster: Cluster = _UNKNOWN
    standing: Timeline = Timeline(0, 0)

    @property
    def timeline(self) -> int:
        """The number alone."""
        return self.standing.number

    @property
    def outdated(self) -> bool:
        """Whether another server has been promoted since. A standby, which takes no changes, is never outdated."""
        return 0 < self.timeline < self.cluster.newest

    def _learn(self, place: PostgresPlace, system: int, timeline: int) -> None:
        cluster = _clusters.setdefault(system, Cluster())
        if timeline > cluster.newest:
            if cluster.newest:
                log.warning("%s is the new primary, of timeline %d after %d", place.name, timeline, cluster.newest)
            cluster.newest = timeline
        self.cluster, self.standing = cluster, Timeline(system, timeline)
        place.timeline = timeline
        if self.outdated:
            raise self._old()

    def _old(self) -> OldPrimary:
        error = OldPrimary(
            f"{self.place.name} was the primary until another server was promoted: it is at timeline {self.timeline}, "
            f"and timeline {self.cluster.newest} has begun. It is not used until it follows the new one. If it was "
            "restored on purpose and is the right one, stop every role, and run `daybook failover --restored`"
        )
        error.newest = self.cluster.newest
        return error


class _Watched(psycopg.Connection[TupleRow], _Standing):
    """A connection whose statements fail when the server hangs, or is the primary no more."""

    def wait(self, gen: PQGen[Any], interval: float = _INTERVAL, timeout: float | None = None) -> Any:
        if self.outdated:
            self.pgconn.finish()
            raise self._old()
        try:
            return super().wait(watched(gen, self.place), interval, timeout)
        except ServerHangs:
            self.pgconn.finish()  # there is nobody to say good-bye to
            raise

    def _introduce(self, place: PostgresPlace) -> None:
        self.place = place
        (pid, _), *_ = self.execute(_INTRODUCTION, prepare=False).fetchall()
        _refuse_pooler(pid, self)
        place.note_answer(self.info)
        with suppress(*_UNTOLD):
            self._ask_timeline()

    def _ask_timeline(self) -> None:
        ((system, timeline),) = self.execute(_TIMELINE, prepare=False).fetchall()
        self._learn(self.place, system, timeline)


class PostgresSession(_Watched):
    """A connection in UTC, to the newest primary. Its statements fail when the server hangs or is it no more."""

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> Self:
        """The first server that will do. Raises psycopg.OperationalError, and BadConfiguration for a pooler."""
        known, options = _prepared(conninfo, kwargs)
        failed: list[str] = []
        for place in known.in_order():
            try:
                conn = super().connect(_conninfo(place, known), **options)
                try:
                    conn._introduce(place)
                except BaseException:
                    conn.close()
                    raise
                return conn
            except psycopg.OperationalError as error:
                if isinstance(error, OldPrimary):
                    fence(place, _as_it_is(place), error.newest)
                failed.append(f"{place.name}: {error}")
                if not known.several:
                    raise
        raise psycopg.OperationalError("; ".join(failed))


class AsyncPostgresSession(psycopg.AsyncConnection[TupleRow], _Standing):
    """The same for an event loop."""

    @classmethod
    async def connect(cls, conninfo: str = "", **kwargs: Any) -> Self:
        """The first server that will do. Raises psycopg.OperationalError, and BadConfiguration for a pooler."""
        known, options = await asyncio.to_thread(_prepared, conninfo, kwargs)
        failed: list[str] = []
        for place in known.in_order():
            try:
                conn = await super().connect(_conninfo(place, known), **options)
                try:
                    await conn._introduce(place)
                except BaseException:  # also when the task is cancelled
                    await conn.close()
                    raise
                return conn
            except psycopg.OperationalError as error:
                if isinstance(error, OldPrimary):
                    await asyncio.to_thread(fence, place, _as_it_is(place), error.newest)
                failed.append(f"{place.name}: {error}")
                if not known.several:
                    raise
        raise psycopg.OperationalError("; ".join(failed))

    async def wait(self, gen: PQGen[Any], interval: float = _INTERVAL, timeout: float | None = None) -> Any:
        if self.outdated:
            self.pgconn.finish()
            raise self._old()
        try:
            return await super().wait(watched(gen, self.place), interval, timeout)
        except ServerHangs:
            self.pgconn.finish()  # there is nobody to say good-bye to
            raise

    async def _introduce(self, place: PostgresPlace) -> None:
        self.place = place
        (pid, _), *_ = await (await self.execute(_INTRODUCTION, prepare=False)).fetchall()
        _refuse_pooler(pid, self)
        place.note_answer(self.info)
        with suppress(*_UNTOLD):
            ((system, timeline),) = await (await self.execute(_TIMELINE, prepare=False)).fetchall()
            self._learn(place, system, timeline)


_UNTOLD = (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFunction, psycopg.errors.FeatureNotSupported)
"""What a server says that does not tell its timeline, as some that are rented do: then none is compared."""


def _refuse_pooler(pid: int, conn: _Watched | AsyncPostgresSession) -> None:
    """A pooler makes up the process id that it tells a client, whose session is no session of the server."""
    if pid != conn.info.backend_pid:
        raise BadConfiguration(_POOLED, field="DAYBOOK_POSTGRES")


def _conninfo(place: PostgresPlace, known: PostgresPlaces) -> str:
    timeout = CONNECT_TIMEOUT_SECONDS_OF_SEVERAL if known.several else CONNECT_TIMEOUT_SECONDS
    return make_conninfo("", **(_NETWORK | {"connect_timeout": timeout} | place.parameters))


def _prepared(dsn: str, kwargs: Mapping[str, Any]) -> tuple[PostgresPlaces, dict[str, Any]]:
    """The servers, asked for their timelines when they are several and nobody did yet."""
    known = places(dsn)
    if known.several:
        with known.asked:
            if not known.watched:
                watch = _Watch(known)
                watch.look(known.in_order())
                known.watched = True
                threading.Thread(target=watch.run, name="daybook-timelines", daemon=True).start()
    return known, dict(kwargs)


class _Watch:
    """Asks every server of a connection string again and again whether it is a primary, and of which timeline."""

    def __init__(self, known: PostgresPlaces) -> None:
        self._known = known
        self._held: dict[PostgresPlace, _Watched] = {}

    def run(self) -> None:
        """For as long as the process lives. The one that is the primary is left alone: it can't become a newer one."""
        while True:
            time.sleep(WATCH_SECONDS)
            first, *others = self._known.in_order()
            self.look(others if first.timeline and not first.hung else [first, *others])

    def look(self, at: Sequence[PostgresPlace]) -> None:
        """Once. A server that can't be asked is asked again the next time."""
        for place in at:
            conn = self._held.pop(place, None)
            try:
                if conn is None:
                    conn = _Watched.connect(_as_it_is(place), autocommit=True)
                    conn._introduce(place)
                else:
                    conn._ask_timeline()
                self._held[place] = conn
            except (psycopg.Error, BadConfiguration) as error:
                if conn is not None:
                    conn.close()
                if isinstance(error, OldPrimary):
                    fence(place, _as_it_is(place), error.newest)


def _as_it_is(place: PostgresPlace) -> str:
    """A connection string for this server also when it is a standby."""
    given = {name: value for name, value in place.parameters.items() if name != "target_session_attrs"}
    own = {"connect_timeout": CONNECT_TIMEOUT_SECONDS_OF_SEVERAL, "application_name": "daybook timelines"}
    return make_conninfo("", **(_NETWORK | own | given))
