"""What a projection keeps: one transaction for listings, checkpoint and due deliveries.

Order of locks, everywhere: the generation's row, then lanes by name, then deliveries. Two transactions that keep to it
can't wait for each other in a circle.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg

from daybook.channel import QUERIES, keeping
from daybook.channel.contract import Manifest
from daybook.channel.folding import Batch, Facets, Owners
from daybook.channel.generations import Checkpoint, Generation
from daybook.channel.keeping import Versions
from daybook.channel.leases import Lease
from daybook.channel.receipts import Settlement, settle
from daybook.channel.recent import Recent
from daybook.events import Recorded
from daybook.log import reader
from daybook.postgres.arrays import Array
from daybook.postgres.pool import AsyncConnection, pipeline

SUPERSEDED = "DB001"
"""What the database says when the checkpoint can't be moved from where it was thought to be."""


class Superseded(Exception):
    """The checkpoint, the lease or the generation is another's by now. Nothing was written; start over."""


class Groups(msgspec.Struct):
    """What is kept of some groups."""

    states: dict[str, Any]
    listed: dict[str, Facets]
    rest: list[Recorded] = []
    """What follows the last event in its own command."""


class Store:
    """Reads and writes one generation of one projection. Without `deliver` nothing comes due: a rebuild."""

    def __init__(
        self,
        conn: AsyncConnection,
        manifest: Manifest,
        generation: Generation,
        *,
        deliver: bool = True,
        lease: Lease | None = None,
    ) -> None:
        self._conn = conn
        self._manifest = manifest
        self._generation = generation
        self._deliver = deliver and manifest.connector is not None
        self._lease = lease
        self._recent = Recent()
        self._sizes: dict[str, int] = {}
        # A fold may come to None: the group is of no interest any more.
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(manifest.state | None)

    @property
    def _names(self) -> tuple[str, int]:
        return self._generation.projection, self._generation.number

    async def parked(self) -> set[str]:
        """The keys of the groups that stand aside. Whoever brings one back raises the epoch, so this is read once."""
        cursor = await self._conn.execute(QUERIES["parked_keys"], self._names)
        return {key for (key,) in await cursor.fetchall()}

    async def groups(self, keys: Sequence[str], last: Recorded) -> Groups:
        """States and listed hashes of these groups, and what follows `last` in its own command."""
        known = self._recent.of(keys)
        missing = [key for key in keys if key not in known]
        async with pipeline(self._conn):
            if missing:
                wanted = Array.texts(missing)
                states = await self._conn.execute(self._generation.query("states"), (wanted,))
                hashes = await self._conn.execute(self._generation.query("signatures"), (wanted,))
            rest = await self._conn.execute(QUERIES["rest_of_command"], (last.command_id, last.position))
        found = Groups({key: one.state for key, one in known.items()}, {key: one.facets for key, one in known.items()})
        if missing:
            found.states |= self._decoded(await states.fetchall())
            found.listed |= _facets(missing, await hashes.fetchall())
        found.rest = [reader.recorded(row) for row in await rest.fetchall()]
        return found

    def _decoded(self, rows: Sequence[Any]) -> dict[str, Any]:
        self._sizes = {key: len(state) for key, state in rows}
        return {key: self._decoder.decode(state) for key, state in rows}

    async def folded(self, fold: Callable[[Owners], Batch], listed: Mapping[str, Facets]) -> Batch:
        """What `fold` makes, given what other groups list of what is new in it.

        A SKU belongs to one group; a channel's code that renders another group's would take its listing away unseen.
        """
        batch = fold({})
        new = [one for where, one in batch.put.items() if where not in listed.get(one.key, ())]
        if not new:
            return batch
        cursor = await self._conn.execute(
            self._generation.query("owners"),
            (
                Array.texts([one.sku for one in new]),
                Array.texts([one.facet for one in new]),
                Array.texts([one.key for one in new]),
            ),
        )
        taken = {(sku, facet): key for sku, facet, key in await cursor.fetchall()}
        return fold(taken) if taken else batch

    async def history(self, key: str, upto: int) -> list[Recorded]:
        """A group's events from its first to this position."""
        return await reader.of_key(self._conn, key, upto)

    def remember(self, batch: Batch, groups: Groups) -> None:
        """After `save`: what these groups came to need not be read again while this object writes alone."""
        self._recent.written(batch, groups.states, groups.listed, self._sizes)
        self._sizes = {}

    async def groups_using(self, codes: Sequence[str], key: str, limit: int) -> Groups:
        """The next groups, in order of key, that look one of these definitions up when they are rendered."""
        query = self._generation.query("states_using")
        cursor = await self._conn.execute(query, (key, list(codes), *self._names, limit))
        found = self._decoded(await cursor.fetchall())
        hashes = await self._conn.execute(self._generation.query("signatures"), (list(found),))
        return Groups(found, _facets(found, await hashes.fetchall()))

    async def save(self, batch: Batch, was: Checkpoint, now: Checkpoint, receipts: Sequence[Settlement] = ()) -> bool:
        """Writes a batch and moves the checkpoint, or raises Superseded and writes nothing.

        True when deliveries may have come due.
        """
        # One trip. What is sent between two syncs is one transaction, and the first statement fails it all when the
        # checkpoint has moved.
        try:
            async with pipeline(self._conn):
                await self._conn.execute(
                    QUERIES["move_checkpoint"],
                    {
                        "projection": self._generation.projection,
                        "generation": self._generation.number,
                        "from": was.position,
                        "to": now.position,
                        "epoch": was.epoch,
                        "reference_was": was.reference_from,
                        "reference_from": now.reference_from,
                        "reference_codes": list(now.reference_codes),
                        "lease": self._lease.name if self._lease else None,
                        "token": self._lease.token if self._lease else None,
                    },
                )
                return await self.write(batch, receipts)
        except psycopg.DatabaseError as error:
            if error.sqlstate == SUPERSEDED:
                raise Superseded("the checkpoint, the lease or the generation is another's by now") from None
            raise

    async def write(self, batch: Batch, receipts: Sequence[Settlement] = ()) -> bool:
        """Writes a batch without moving the checkpoint, for whoever holds the generation in a transaction."""
        for key in batch.back if self._manifest.keeps_history else ():
            # It is told again from its beginning, and so is its history.
            await keeping.forget(self._conn, Versions(self._generation, self._manifest), key)
        if batch.back:
            await self._conn.execute(QUERIES["unpark"], (*self._names, Array.texts(sorted(batch.back))))
        await self._put(batch)
        await keeping.keep(self._conn, Versions(self._generation, self._manifest), batch.kept)
        await self._park(batch)
        return await self._due(batch, receipts)

    async def beat(self) -> None:
        """Says that a cycle was finished, with nothing to do."""
        await self._conn.execute(QUERIES["beat"], (self._generation.projection, self._generation.number))

    async def note_failure(self, failure: Mapping[str, Any]) -> None:
        """Keeps the last failure where a person can read it when the runner is dead."""
        body = msgspec.json.encode(failure).decode()
        await self._conn.execute(QUERIES["note_failure"], (body, self._generation.projection, self._generation.number))

    async def _put(self, batch: Batch) -> None:
        if batch.states:
            bodies = [msgspec.json.encode(state) for state in batch.states.values()]
            self._sizes.update(zip(batch.states, map(len, bodies), strict=True))
            uses = ["\n".join(batch.uses.get(key, ())) for key in batch.states]
            await self._conn.execute(
                self._generation.query("put_states"),
                (Array.texts(list(batch.states)), Array.utf8(bodies), Array.texts(uses)),
            )
        again = [key for key in batch.uses if key not in batch.states]
        if again:
            uses = ["\n".join(batch.uses[key]) for key in again]
            await self._conn.execute(self._generation.query("put_uses"), (Array.texts(again), Array.texts(uses)))
        if batch.put:
            rows = list(batch.put.values())
            await self._conn.execute(
                self._generation.query("put_listings"),
                (
                    Array.texts([row.sku for row in rows]),
                    Array.texts([row.facet for row in rows]),
                    Array.texts([row.key for row in rows]),
                    Array.utf8([row.payload for row in rows]),
                    Array.texts(["\n".join(row.held) if row.held is not None else None for row in rows]),
                    Array.binaries([row.hash for row in rows]),
                    Array.integers([row.position for row in rows]),
                ),
            )
        if batch.gone:
            await self._conn.execute(
                self._generation.query("drop_listings"),
                (Array.texts([sku for sku, _ in batch.gone]), Array.texts([facet for _, facet in batch.gone])),
            )

    async def _park(self, batch: Batch) -> None:
        if batch.parked:
            rows = list(batch.parked.values())
            await self._conn.execute(
                QUERIES["park"],
                (
                    *self._names,
                    [row.key for row in rows],
                    [row.position for row in rows],
                    [row.event_id for row in rows],
                    [row.type for row in rows],
                    [row.sku for row in rows],
                    [row.error[:2000] for row in rows],
                    [row.where for row in rows],
                    [batch.passed.get(row.key, 0) for row in rows],
                ),
            )
        passed = {key: number for key, number in batch.passed.items() if key not in batch.parked}
        if passed:
            await self._conn.execute(QUERIES["pass_by"], (list(passed), list(passed.values()), *self._names))

    async def _due(self, batch: Batch, receipts: Sequence[Settlement]) -> bool:
        manifest = self._manifest
        if not self._deliver or not (batch.put or batch.gone or receipts):
            return False
        wanted = [
            (row.sku, row.facet, lane_of(manifest, row.sku, row.key), row.key, row.wanted, row.position)
            for row in batch.put.values()
        ] + [
            (sku, facet, lane_of(manifest, sku, key), key, None, position)
            for (sku, facet), (key, position) in batch.gone.items()
        ]
        wanted.sort(key=lambda row: (row[0], row[1]))
        news = {row[2] for row in wanted}
        lanes = sorted(news | {lane_of(manifest, one.sku, one.key) for one in receipts})
        urgent, fresh = Array.texts(self._urgent(batch)), Array.texts(list(news))
        await self._conn.execute(QUERIES["touch_lanes"], (manifest.name, urgent, Array.texts(lanes), fresh, fresh))
        if wanted:
            await self._conn.execute(
                QUERIES["want"],
                (
                    manifest.name,
                    Array.texts([row[0] for row in wanted]),
                    Array.texts([row[1] for row in wanted]),
                    Array.texts([row[2] for row in wanted]),
                    Array.texts([row[3] for row in wanted]),
                    Array.small_integers([rank_of(manifest, row[1]) for row in wanted]),
                    Array.binaries([row[4] for row in wanted]),
                    Array.integers([row[5] for row in wanted]),
                    manifest.name,
                ),
            )
            skus = Array.texts(sorted({row[0] for row in wanted}))
            await self._conn.execute(QUERIES["reconsider"], (manifest.name, skus))
        await settle(self._conn, manifest, receipts)
        return True

    def _urgent(self, batch: Batch) -> list[str]:
        """Lanes of what has just sold out: each minute later is an order that can't be kept."""
        stock = self._manifest.stock
        if stock is None:
            return []
        return [
            lane_of(self._manifest, row.sku, row.key)
            for row in batch.put.values()
            if row.facet == stock.facet
            and row.payload is not None
            and not stock.amount(msgspec.json.decode(row.payload))
        ]


def lane_of(manifest: Manifest, sku: str, key: str) -> str:
    """The lane in which a SKU's requests go one after the other."""
    return key if manifest.lane == "group" else sku


def rank_of(manifest: Manifest, facet: str) -> int:
    """A facet's place in the order of sending; one that the manifest has dropped comes last."""
    return manifest.facets.index(facet) if facet in manifest.facets else len(manifest.facets)


def _facets(keys: Iterable[str], rows: Iterable[Sequence[Any]]) -> dict[str, Facets]:
    listed: dict[str, Facets] = {key: {} for key in keys}
    for key, sku, facet, mark in rows:
        listed.setdefault(key, {})[sku, facet] = bytes(mark)
    return listed
