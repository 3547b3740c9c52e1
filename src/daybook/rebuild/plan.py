"""What a switch would change: listings by kind and by field, with samples, and the calls that would follow.

Read in one snapshot, from the two generations as they stand. They need not stand at the same position: groups with
events between the two checkpoints are left out and counted, so what is left differs because of the code alone. When
nobody runs the live generation nothing moves, and all of it is compared.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, LiteralString

import msgspec
from psycopg import sql

from daybook.channel.contract import Manifest
from daybook.postgres.pool import AsyncConnection
from daybook.projection import due
from daybook.projection.generations import Generation, checkpoint_of
from daybook.projection.reading import condition
from daybook.rebuild import QUERIES

SAMPLES_MAX = 3
PAGE_ROWS = 2000
_ABSENT: Any = None


class Sample(msgspec.Struct, frozen=True):
    """One SKU's value before and after; None where there was or is none."""

    sku: str
    before: Any
    after: Any


class FieldDifference(msgspec.Struct, frozen=True):
    """A field that changes: the facet and the topmost name in its payload, `offer.title`."""

    field: str
    count: int
    samples: tuple[Sample, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would change, and what would be sent. Counts are SKUs; one SKU may count under several."""

    projection: str
    generation: int
    live: int
    position: int
    """Where the new generation stands."""
    made_at: datetime
    added: int
    """SKUs with a facet that is shown and was not."""
    changed: int
    """SKUs with a facet that is shown differently."""
    removed: int
    """SKUs with a facet that is not there any more."""
    held: int
    """SKUs with a facet that can't be shown any more, or for other reasons than before."""
    fields: tuple[FieldDifference, ...]
    """The most frequent first."""
    samples: dict[str, tuple[str, ...]]
    """`added`, `removed` and `held` -> the first SKUs."""
    calls: dict[str, int]
    """Operation (`create`, `remove`, `update FACET`; of a work `do`, `redo` and `undo FACET`) -> SKUs."""
    moving: int
    """Product groups that were left out, as events for them came in meanwhile."""
    behind: int
    """Events that the live generation lacks while nobody runs it; what they change is part of the plan."""
    parked: int
    """Product groups that the new code could not fold or render."""

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.added or self.changed or self.removed or self.held or self.calls)


class _Counts:
    def __init__(self) -> None:
        self.skus: Counter[str] = Counter()
        self.fields: Counter[str] = Counter()
        self.field_samples: dict[str, list[Sample]] = {}
        self.samples: dict[str, list[str]] = {"added": [], "removed": [], "held": []}
        self._last: dict[str, str] = {}

    def row(self, row: Any) -> None:
        sku, facet, before, after, held_before, held_after, was, is_ = row
        if held_after is not None and (before is not None or held_before != held_after):
            self._sku("held", sku)
        elif before is not None and after is not None:
            self._sku("changed", sku)
            self._fields(sku, facet, msgspec.json.decode(before), msgspec.json.decode(after))
        elif after is not None:
            self._sku("added", sku)
        elif was and not is_ and (before is not None or held_before is not None):
            self._sku("removed", sku)

    def _sku(self, kind: str, sku: str) -> None:
        if self._last.get(kind) != sku:  # rows come in order of SKU
            self._last[kind] = sku
            self.skus[kind] += 1
            some = self.samples.get(kind)
            if some is not None and len(some) < SAMPLES_MAX:
                some.append(sku)

    def _fields(self, sku: str, facet: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        for name in before.keys() | after.keys():
            old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
            if old == new and (name in before) == (name in after):
                continue
            field = f"{facet}.{name}"
            self.fields[field] += 1
            samples = self.field_samples.setdefault(field, [])
            if len(samples) < SAMPLES_MAX:
                samples.append(Sample(sku, old, new))


async def make(conn: AsyncConnection, manifest: Manifest, new: Generation, live: Generation) -> Plan:
    """The plan of making `new` the live generation. Reads only, and holds nobody up."""
    async with conn.transaction():
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        stands, live_stands = await checkpoint_of(conn, new), await checkpoint_of(conn, live)
        runs = await _number(conn, QUERIES["runs"], f"project:{manifest.name}")
        high = max(stands.position, live_stands.position)
        between = {"low": min(stands.position, live_stands.position) if runs else high, "high": high}
        counts = _Counts()
        compare = new.composed(QUERIES["compare"], live=live.listings)
        async with conn.cursor("differences") as cursor:
            await cursor.execute(compare, between)
            while page := await cursor.fetchmany(PAGE_ROWS):
                for row in page:
                    counts.row(row)
        calls: dict[str, int] = {}
        if manifest.connector is not None:
            calls = await due.planned_calls(conn, manifest, new, between)
        query = sql.SQL(QUERIES["moving_groups"]).format(wanted=condition(manifest)).as_bytes()
        moving = await _number(conn, query, between["low"], between["high"])
        parked = await _number(conn, QUERIES["parked_count"], new.projection, new.number)
    return Plan(
        projection=new.projection,
        generation=new.number,
        live=live.number,
        position=stands.position,
        made_at=datetime.now(UTC),
        added=counts.skus["added"],
        changed=counts.skus["changed"],
        removed=counts.skus["removed"],
        held=counts.skus["held"],
        fields=tuple(_field_changes(counts)),
        samples={kind: tuple(some) for kind, some in counts.samples.items() if some},
        calls=calls,
        moving=moving,
        behind=0 if runs else max(0, stands.position - live_stands.position),
        parked=parked,
    )


def _field_changes(counts: _Counts) -> Iterator[FieldDifference]:
    for field, count in sorted(counts.fields.items(), key=lambda one: (-one[1], one[0])):
        yield FieldDifference(field, count, tuple(counts.field_samples[field]))


async def _number(conn: AsyncConnection, query: LiteralString | bytes, *given: object) -> int:
    row = await (await conn.execute(query, given)).fetchone()
    assert row is not None
    return int(row[0])
