"""Whether a channel still shows what it acknowledged: read back, compared, and brought again where it differs.

Somebody changes a price in the marketplace's own pages, an app overwrites a title, a listing is deleted by hand: the
channel says nothing of it. So chosen SKUs are read one by one, as fast as the channel allows. What differs is noted in
the journal as `drifted` and due again, unless it has changed meanwhile.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import (
    ChannelUnavailable,
    Connector,
    Manifest,
    Paced,
    Payload,
    Push,
    ReadsBack,
    Rejected,
    Shown,
    Throttled,
)
from daybook.delivery import journal, lane_rows
from daybook.delivery.breaker import THROTTLE_SECONDS
from daybook.delivery.resync import Choice, chosen
from daybook.delivery.retry import wait_seconds
from daybook.errors import Refused
from daybook.events import Rejection
from daybook.postgres.pool import Connection, Pool, reachable
from daybook.postgres.sql import beside
from daybook.postgres.text import storable
from daybook.projection.generations import live_of

QUERIES = beside(__file__, "lane_rows", "journal", "worker")

PAGE_SKUS = 100
TRIES_MAX = 5
"""So often a SKU is asked for when the channel does not answer."""
PAUSE_SECONDS_MAX = 300.0
"""A channel that asks for a longer pause is left alone: what is left is for later."""
DETAIL_LENGTH_MAX = 2000


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one facet. `field` is a path into the payload, empty for a facet that is not shown at all."""

    sku: str
    facet: str
    field: str
    shown: Any
    """What the channel shows; None for nothing."""
    said: Any
    """What the book says, and the channel had acknowledged."""


class Unread(msgspec.Struct, frozen=True):
    """A SKU that the channel does not tell of, and why."""

    sku: str
    reasons: tuple[Rejection, ...]


class Drift(msgspec.Struct, kw_only=True):
    """What the comparison came to."""

    channel: str
    dry_run: bool
    chosen: int
    compared: int = 0
    """SKUs that were read."""
    left_out: int = 0
    """SKUs that are not compared: something of them is under way or was rejected, or changed while it was read."""
    unknown: int = 0
    """Facets whose payload was sent so long ago that it is not kept, or that the channel does not give back."""
    drifted: list[Difference] = msgspec.field(default_factory=list)
    skus: int = 0
    """SKUs with a difference."""
    facets: int = 0
    """Facets with a difference: they are due now, but for a dry run."""
    unread: list[Unread] = msgspec.field(default_factory=list)
    stopped: str | None = None
    """Why not all of them were read: the channel does not answer."""


class DriftProgress(msgspec.Struct, frozen=True):
    """How far it came: SKUs read, of how many, and facets that differ."""

    done: int
    total: int
    facets: int


class _Acknowledged(msgspec.Struct, frozen=True):
    """A row of the query `acknowledged`."""

    lane: str
    sku: str
    facet: str
    key: str
    mark: bytes
    receipt: int
    position: int
    state: str
    body: str | None


class _Silent(Exception):
    """The channel does not answer."""


class _ReadBack(msgspec.Struct, frozen=True):
    """One SKU as it was read."""

    rows: list[_Acknowledged]
    shown: Shown | Rejected
    last: Exchange | None
    at: float


async def drift(
    pool: Pool,
    manifest: Manifest,
    connector: Connector,
    choice: Choice,
    *,
    dry_run: bool = False,
    on_progress: Callable[[DriftProgress], None] = lambda progress: None,
) -> Drift:
    """Reads the chosen SKUs that are wholly confirmed and marks the facets that differ due, a hundred SKUs at a time.

    At most `Manifest.in_flight_max` are read at once. A dry run changes nothing and notes nothing. When the channel
    stops answering, `stopped` says so, and what was found until then holds. Raises Refused for a connector that can't
    read, and as `resync.chosen` does.
    """
    if not isinstance(connector, ReadsBack):
        raise Refused(
            f"{manifest.name} can't be read back: its connector has no `read`. Without --drift-only the chosen SKUs "
            "are sent again unseen",
            channel=manifest.name,
        )
    await asyncio.to_thread(_share_pace, pool, manifest, connector)
    skus = await asyncio.to_thread(_chosen_skus, pool, manifest, choice)
    ready = [(sku, lane) for sku, lane, confirmed in skus if confirmed]
    found = Drift(channel=manifest.name, dry_run=dry_run, chosen=len(skus), left_out=len(skus) - len(ready))
    done = 0

    def one_done() -> None:
        nonlocal done
        done += 1
        on_progress(DriftProgress(done, len(ready), found.facets))

    for start in range(0, len(ready), PAGE_SKUS):
        page = ready[start : start + PAGE_SKUS]
        rows, ids = await asyncio.to_thread(_page, pool, manifest, sorted({lane for _, lane in page}))
        pushes = _pushes(manifest, [sku for sku, _ in page], rows, ids)
        found.left_out += len(page) - len(pushes)
        seen, silent = await _read(manifest, connector, pushes, one_done)
        await asyncio.to_thread(_settle, pool, manifest, found, seen)
        on_progress(DriftProgress(done, len(ready), found.facets))
        if silent is not None:
            found.stopped = (
                f"{manifest.name} stopped answering: {silent}. {found.compared} of {len(ready)} SKUs were compared, "
                f"{found.facets} facets of them differ; the same command again begins anew"
            )
            break
    return found


def _share_pace(pool: Pool, manifest: Manifest, connector: Connector) -> None:
    """The channel's workers go on meanwhile: together they keep to what it allows."""
    if isinstance(connector, Paced):
        with reachable(), pool.connection() as conn:
            row = conn.execute(QUERIES["workers_alive"], (manifest.name,)).fetchone()
        connector.pace.share(1 + (row[0] if row else 0))


def _chosen_skus(pool: Pool, manifest: Manifest, choice: Choice) -> list[tuple[str, str, bool]]:
    with reachable(), pool.connection() as conn:
        return conn.execute(QUERIES["chosen_skus"], chosen(conn, manifest, choice)).fetchall()


def _page(
    pool: Pool, manifest: Manifest, lanes: list[str]
) -> tuple[dict[str, list[_Acknowledged]], dict[str, dict[str, str]]]:
    """What these lanes' SKUs acknowledged, by SKU, and the channel's ids by group."""
    with reachable(), pool.connection() as conn:
        query = live_of(conn, manifest.name).composed(QUERIES["acknowledged"])
        rows: dict[str, list[_Acknowledged]] = {}
        for one in conn.execute(query, (manifest.name, lanes)):
            rows.setdefault(one[1], []).append(_Acknowledged(*one))
        ids: dict[str, dict[str, str]] = {}
        for key, sku, remote_id in conn.execute(
            lane_rows.QUERIES["ids_of_lanes"], {"channel": manifest.name, "lanes": lanes}
        ):
            ids.setdefault(key, {})[sku] = remote_id
    return rows, ids


def _pushes(
    manifest: Manifest,
    skus: Sequence[str],
    rows: Mapping[str, list[_Acknowledged]],
    ids: Mapping[str, Mapping[str, str]],
) -> list[tuple[Push, list[_Acknowledged]]]:
    """What to ask for, without SKUs that are not wholly confirmed any more."""
    listings = {sku: {one.facet: _decode(one.body) for one in mine if one.body} for sku, mine in rows.items()}
    groups: dict[str, dict[str, dict[str, Payload]]] = {}
    if manifest.lane == "group":
        for sku, mine in rows.items():
            groups.setdefault(mine[0].key, {})[sku] = listings[sku]
    pushes = []
    for sku in skus:
        mine = rows.get(sku, [])
        if not mine or any(one.state != "confirmed" for one in mine):
            continue
        known = ids.get(mine[0].key, {})
        push = Push(
            sku=sku,
            key=mine[0].key,
            facet=mine[0].facet,
            payload=listings[sku].get(mine[0].facet),
            listing=listings[sku],
            group=groups.get(mine[0].key, {}),
            remote_id=known.get(sku),
            remote_ids=known,
            position=max(one.position for one in mine),
            attempt=1,
        )
        pushes.append((push, mine))
    return pushes


async def _read(
    manifest: Manifest,
    connector: ReadsBack,
    pushes: Sequence[tuple[Push, list[_Acknowledged]]],
    done: Callable[[], None],
) -> tuple[list[_ReadBack], str | None]:
    """What the channel shows, and why it stopped answering, if it did."""
    seen: list[_ReadBack] = []
    silent: list[str] = []
    waiting = iter(pushes)

    async def work() -> None:
        for push, rows in waiting:
            if silent:
                return
            try:
                shown, last = await _ask(connector, push)
            except _Silent as error:
                silent.append(str(error))
                return
            seen.append(_ReadBack(rows, shown, last, time.time()))
            done()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(manifest.in_flight_max, len(pushes))):
            group.create_task(work())
    return seen, silent[0] if silent else None


async def _ask(connector: ReadsBack, push: Push) -> tuple[Shown | Rejected, Exchange | None]:
    """What the channel shows of one SKU. Waits while it is told to, and tries again when there is no answer."""
    failures = 0
    while True:
        kept: list[Exchange] = []
        token = exchanges.set(kept)
        try:
            answer = await connector.read(push)
        except Exception as error:
            answer = ChannelUnavailable(f"the connector failed: {type(error).__name__}: {error}")
        finally:
            exchanges.reset(token)
        match answer:
            case Throttled(retry_after_seconds=seconds):
                pause = seconds or THROTTLE_SECONDS
                if pause > PAUSE_SECONDS_MAX:
                    raise _Silent(f"it asks for a pause of {pause:.0f} s")
            case ChannelUnavailable(reason=reason, retry_after_seconds=seconds):
                failures += 1
                pause = wait_seconds(failures, seconds)
                if failures >= TRIES_MAX or pause > PAUSE_SECONDS_MAX:
                    raise _Silent(reason)
            case _:
                return answer, kept[-1] if kept else None
        await asyncio.sleep(pause)


def differences(sku: str, facet: str, said: Payload, shown: Payload | None) -> Iterator[Difference]:
    """The fields that differ, in the order of their names; lists are compared whole. Nothing when they are equal."""
    if shown is None:
        yield Difference(sku=sku, facet=facet, field="", shown=None, said=said)
        return
    for field, there, ours in _fields("", _plain(shown), said):
        yield Difference(sku=sku, facet=facet, field=field, shown=there, said=ours)


def _fields(path: str, shown: dict[str, Any], said: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(shown.keys() | said.keys()):
        where = f"{path}.{name}" if path else name
        there, ours = shown.get(name), said.get(name)
        if isinstance(there, dict) and isinstance(ours, dict):
            yield from _fields(where, there, ours)
        elif there != ours or (name in shown) != (name in said):
            yield where, there, ours


def _settle(pool: Pool, manifest: Manifest, found: Drift, seen: Sequence[_ReadBack]) -> None:
    """Compares, drops what has changed meanwhile, notes and marks the rest."""
    drifted: dict[tuple[str, str], tuple[_Acknowledged, _ReadBack, list[Difference]]] = {}
    for one in sorted(seen, key=lambda one: one.rows[0].sku):
        found.compared += 1
        if isinstance(one.shown, Rejected):
            found.unread.append(Unread(one.rows[0].sku, one.shown.reasons))
            continue
        for row in one.rows:
            if row.body is None or row.facet not in one.shown.facets:
                found.unknown += 1
                continue
            differ = list(differences(row.sku, row.facet, _decode(row.body), one.shown.facets[row.facet]))
            if differ:
                drifted[row.sku, row.facet] = row, one, differ
    if not drifted:
        return
    with reachable(), pool.connection() as conn, conn.transaction():
        lanes = sorted({row.lane for row, _, _ in drifted.values()})
        if not found.dry_run:
            conn.execute(lane_rows.QUERIES["lock_lanes"], (manifest.name, lanes))
        rows = [row for row, _, _ in drifted.values()]
        columns = [[getattr(row, name) for row in rows] for name in ("sku", "facet", "mark", "receipt")]
        still = set(conn.execute(QUERIES["still_acknowledged"], (*columns, manifest.name)).fetchall())
        found.left_out += len({sku for sku, _ in drifted} - {sku for sku, _ in still})
        valid = {where: what for where, what in drifted.items() if where in still}
        if valid and not found.dry_run:
            _mark(conn, manifest, valid)
    found.drifted += [difference for _, _, differ in valid.values() for difference in differ]
    found.skus += len({sku for sku, _ in valid})
    found.facets += len(valid)


def _mark(
    conn: Connection,
    manifest: Manifest,
    drifted: Mapping[tuple[str, str], tuple[_Acknowledged, _ReadBack, list[Difference]]],
) -> None:
    rows = [row for row, _, _ in drifted.values()]
    gone = [facet == manifest.facets[0] and not differ[0].field for (_, facet), (_, _, differ) in drifted.items()]
    where = [row.sku for row in rows], [row.facet for row in rows]
    conn.execute(QUERIES["mark_drifted"], (*where, gone, manifest.name))
    conn.execute(lane_rows.QUERIES["wake_lanes"], (manifest.name, sorted({row.lane for row in rows})))
    noted = [_attempt(row, one, differ) for row, one, differ in drifted.values()]
    conn.execute(
        journal.QUERIES["put_attempts"], (manifest.name, *(list(column) for column in zip(*noted, strict=True)))
    )


def _attempt(row: _Acknowledged, one: _ReadBack, differ: Sequence[Difference]) -> tuple[object, ...]:
    detail = "; ".join(
        f"{each.field or 'the facet'}: shown {_text(each.shown)}, ours {_text(each.said)}" for each in differ
    )
    call = one.last
    return (
        datetime.fromtimestamp(one.at, UTC),
        row.sku,
        row.facet,
        row.position,
        row.mark,
        "drifted",
        storable(detail, DETAIL_LENGTH_MAX),
        call and call.method,
        call and call.url,
        None,
        call and call.status,
        call and storable(call.answer or call.error or ""),
        call and call.milliseconds,
    )


def _text(value: Any) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()


def _decode(body: str | None) -> Payload:
    payload: Payload = msgspec.json.decode(body or "{}")
    return payload


def _plain(payload: Payload) -> Payload:
    """As JSON holds it: a connector may give tuples and structs."""
    return _decode(msgspec.json.encode(payload).decode())
