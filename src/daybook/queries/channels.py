"""How the channels are doing, read from Postgres: true also when every runner is dead."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from daybook.channel.contract import Manifest, Payload
from daybook.channel.registry import Registry
from daybook.delivery.breaker import FAILURES_TO_OPEN
from daybook.errors import NotFound
from daybook.events import Rejection
from daybook.postgres.pool import Connection, Pool, reachable
from daybook.postgres.sql import beside
from daybook.projection import beyond, starts
from daybook.projection.generations import Generation, exists, never_ran
from daybook.queries import stream_state

QUERIES = beside(__file__)

BEHIND_EVENTS = 1000
"""More than a runner takes at once: it catches up."""
BEHIND_SECONDS = 10.0
"""A runner moves several times a second; one that has not for so long, with events to read, is not there."""

State = Literal["paused", "down", "behind", "running"]


class BreakerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel's workers found out about it, while something is wrong."""

    failures: int
    """In a row, of the whole channel."""
    down: bool
    """So many failures that only one product is tried now and then."""
    reason: str | None
    """Of the last failure."""
    said_at: datetime
    """When a worker last said so."""
    next_try: datetime | None
    """When the channel is tried again; None: at once."""
    quiet_until: datetime | None
    """The channel asked for a pause until then. Not a failure."""


class ChannelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One projection at a glance. Counts of `due`, `accepted`, `confirmed` and `rejected` are facets."""

    name: str
    title: str
    state: State
    """The first that is true: `paused`; `down`: the channel does not answer; `behind`: its listings lack many events,
    or nobody runs them; else `running`."""
    generation: int
    position: int
    lag: int
    """Events of the log that are not in the listings yet."""
    listings: int
    """SKUs with something to show."""
    held: int
    """SKUs that can't be shown as things are."""
    due: int
    in_flight: int
    accepted: int
    confirmed: int
    rejected: int
    parked: int
    """Product groups that the channel's own code could not fold or render: see `daybook.projection.parking`."""
    blocked: int
    """Facets that wait for a listing which the channel rejected."""
    paused: bool
    paused_because: str | None
    """What the channel said when it asked not to be called any more; None when a person paused it, or nobody did."""
    paused_by: str | None
    """Who paused it; None when the channel itself asked for it, or nobody did, or a Daybook that kept no name."""
    breaker: BreakerStatus | None
    """None while the channel answers."""
    workers: int
    """Delivery workers that are alive."""
    level: bool
    """Everything the channel should show is there, or it has said why not."""
    last_progress: datetime
    next_try: datetime | None
    last_error: str | None
    failure: dict[str, Any] | None
    stream: str | None
    """What is wrong with the stream that feeds all of them; None while it is level."""


class FacetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One facet of one SKU: what should be there, and whether it is."""

    facet: str
    payload: Payload | None
    held: tuple[str, ...] | None
    hash: str
    position: int
    state: str | None
    acknowledged: bool
    attempts: int
    reasons: tuple[Rejection, ...] = ()


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a channel and what came of it."""

    at: datetime
    facet: str
    position: int
    outcome: str
    detail: str | None
    method: str | None
    url: str | None
    status: int | None
    milliseconds: float | None


class Channels:
    """Questions about channels. Each is a handful of statements, whatever the number of products."""

    def __init__(self, pool: Pool, registry: Registry) -> None:
        self._pool = pool
        self._registry = registry

    def all(self) -> list[ChannelStatus]:
        """Every projection that has ever run, in order of name, but for channels that were removed."""
        known, gone = {one.name: one for one in self._registry.all()}, self._registry.removed()
        with reachable(), self._pool.connection() as conn, conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            head, now = _one(conn, "SELECT position, clock_timestamp() FROM head")
            counts: dict[str, dict[str, int]] = {}
            for channel, state, number in conn.execute(QUERIES["delivery_counts"]):
                counts.setdefault(channel, {})[state] = number
            unstarted = {row[0]: row[1:] for row in starts.failures(conn)}
            lanes = {row[0]: row[1:] for row in conn.execute(QUERIES["lane_counts"])}
            health = {row[0]: row[1:] for row in conn.execute(QUERIES["health"])}
            stream = stream_state.read_with(conn)
            found = []
            for row in conn.execute(QUERIES["status"]).fetchall():
                name = row[0]
                if name in gone:
                    continue
                status = self._status(conn, row, head, known.get(name), counts.get(name, {}), lanes.get(name))
                found.append(_or_not_started(_with_health(status, health[name], now), unstarted.get(name)))
            trouble = None if stream.state == "level" else stream.sentence
            return [msgspec.structs.replace(one, stream=trouble) for one in found]

    def _status(
        self, conn: Connection, row: Any, head: int, manifest: Manifest | None, counts: dict[str, int], lanes: Any
    ) -> ChannelStatus:
        name, live, paused, position, again, level_at, moved_at, failure, parked = row
        listings, held = conn.execute(Generation(name, live).composed(QUERIES["listed_counts"])).fetchone() or (0, 0)
        in_flight, next_try, error = lanes or (0, None, None)
        due, accepted = counts.get("due", 0), counts.get("accepted", 0)
        return ChannelStatus(
            name=name,
            title=manifest.title if manifest else name,
            state="running",
            generation=live,
            position=position,
            lag=head - position,
            listings=listings,
            held=held,
            due=due,
            in_flight=in_flight,
            accepted=accepted,
            confirmed=counts.get("confirmed", 0),
            rejected=counts.get("rejected", 0),
            parked=parked,
            blocked=counts.get("blocked", 0),
            paused=paused,
            paused_because=None,
            paused_by=None,
            breaker=None,
            workers=0,
            level=level_at is not None and head == position and not again and not due and not accepted,
            last_progress=moved_at,
            next_try=next_try,
            last_error=error,
            failure=msgspec.json.decode(failure) if failure else _beyond(name, position, head),
            stream=None,
        )

    def status(self, name: str) -> ChannelStatus:
        """One projection, or NotFound."""
        self._registry.get(name)
        found = [one for one in self.all() if one.name == name]
        if not found:
            raise never_ran(name)
        return found[0]

    def pause(self, name: str, paused: bool) -> None:
        """Holds the channel's deliveries, or lets them go; kept in Postgres. Raises NotFound."""
        self.status(name)
        with reachable(), self._pool.connection() as conn:
            conn.execute(QUERIES["pause"], (paused, name))

    def listing(self, name: str, sku: str, number: int | None = None) -> list[FacetStatus]:
        """What the channel should show for a SKU now, facet by facet, and what it acknowledged; [] for nothing.

        `number`: what this generation lists instead of the live one. Raises NotFound when there is none.
        """
        generation = Generation(name, self.status(name).generation if number is None else number)
        with reachable(), self._pool.connection() as conn:
            if number is not None and not exists(conn, generation):
                raise NotFound(f"{name} has no generation {number}: `daybook channel generations {name}` lists them")
            rows = conn.execute(generation.composed(QUERIES["listing_of"]), (name, sku)).fetchall()
        return [
            FacetStatus(
                facet=facet,
                payload=msgspec.json.decode(payload) if payload else None,
                held=tuple(held) if held is not None else None,
                hash=mark,
                position=position,
                state=state,
                acknowledged=acknowledged == mark,
                attempts=attempts or 0,
                reasons=msgspec.json.decode(reasons, type=tuple[Rejection, ...]) if reasons else (),
            )
            for facet, payload, held, mark, position, state, acknowledged, attempts, reasons in rows
        ]

    def rejected(self, name: str) -> list[tuple[str, str, int, tuple[Rejection, ...]]]:
        """(SKU, facet, position, the channel's reasons) of all that the channel refused."""
        self._registry.get(name)
        with reachable(), self._pool.connection() as conn:
            rows = conn.execute(QUERIES["rejected"], (name,)).fetchall()
        return [
            (sku, facet, position, msgspec.json.decode(reasons or "[]", type=tuple[Rejection, ...]))
            for sku, facet, position, reasons in rows
        ]

    def held(self, name: str) -> list[tuple[str, str, tuple[str, ...]]]:
        """(SKU, facet, reasons) of all that can't be shown as things are."""
        generation = Generation(name, self.status(name).generation)
        with reachable(), self._pool.connection() as conn:
            return [
                (sku, facet, tuple(held)) for sku, facet, held in conn.execute(generation.composed(QUERIES["held"]))
            ]

    def attempts(self, name: str, sku: str) -> list[Attempt]:
        """Every request about a SKU, oldest first."""
        self._registry.get(name)
        with reachable(), self._pool.connection() as conn:
            rows = conn.execute(QUERIES["attempts_of"], (name, sku)).fetchall()
        return [msgspec.convert(dict(zip(Attempt.__struct_fields__, row, strict=True)), Attempt) for row in rows]


def _beyond(name: str, position: int, head: int) -> dict[str, Any] | None:
    """Also when no runner is there to say so."""
    if position <= head:
        return None
    return {"error": beyond.words(name, position, head), "after_position": position}


def _with_health(status: ChannelStatus, health: Sequence[Any], now: datetime) -> ChannelStatus:
    because, by, failures, reason, said_at, next_try, quiet_until, workers = health
    breaker = None
    if failures or quiet_until is not None:
        breaker = BreakerStatus(
            failures=failures,
            down=failures >= FAILURES_TO_OPEN,
            reason=reason,
            said_at=said_at,
            next_try=next_try,
            quiet_until=quiet_until,
        )
    stands = (now - status.last_progress).total_seconds() > BEHIND_SECONDS
    state: State = "running"
    if status.paused:
        state = "paused"
    elif breaker is not None and breaker.down:
        state = "down"
    elif status.lag > BEHIND_EVENTS or (status.lag and stands):
        state = "behind"
    return msgspec.structs.replace(
        status, state=state, paused_because=because, paused_by=by, breaker=breaker, workers=workers
    )


def _or_not_started(status: ChannelStatus, failure: Sequence[str] | None) -> ChannelStatus:
    """What the role says that can't start its work, unless the channel's own code fails."""
    if failure is None or status.failure is not None:
        return status
    return msgspec.structs.replace(status, failure={"error": failure[1], "role": failure[0]})


def _one(conn: Connection, query: Any) -> Any:
    return conn.execute(query).fetchone()
