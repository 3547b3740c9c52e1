"""What a projection keeps: one transaction for listings, checkpoint and due deliveries.

Order of locks, everywhere: the generation's row, then lanes by name, then deliveries. Two transactions that keep to it
can't wait for each other in a circle.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg

from daybook.channel.contract import Manifest
from daybook.events import Recorded
from daybook.log import reader
from daybook.postgres.arrays import Array
from daybook.postgres.pool import AsyncConnection, pipeline
from daybook.postgres.sql import beside
from daybook.projection import versions
from daybook.projection.due import hand_over
from daybook.projection.folding import Batch, Facets, Owners
from daybook.projection.generations import Checkpoint, Generation
from daybook.projection.group_cache import GroupCache
from daybook.projection.leases import Lease
from daybook.projection.reading import Passed, Reading
from daybook.projection.receipts import Settlement
from daybook.projection.versions import Versions

QUERIES = beside(__file__)

SUPERSEDED = "DB001"
"""What the database says when the checkpoint can't be moved from where it was thought to be."""


class Superseded(Exception):
    """The checkpoint, the lease or the generation is another's by now. Nothing was written; start over."""


async def note_failure(conn: AsyncConnection, generation: Generation, failure: Mapping[str, Any]) -> None:
    """Keeps why the generation does not go on."""
    body = msgspec.json.encode(failure).decode()
    given = {"failure": body, "projection": generation.projection, "generation": generation.number}
    await conn.execute(QUERIES["note_failure"], given)


async def beat_all(conn: AsyncConnection, generations: Sequence[Generation]) -> None:
    """Says of many generations at once that they live and have nothing to do."""
    names = [one.projection for one in generations], [one.number for one in generations]
    await conn.execute(QUERIES["beat_all"], names)


class Groups(msgspec.Struct):
    """What is kept of some groups."""

    states: dict[str, Any]
    listed: dict[str, Facets]
    rest: list[Recorded | Passed] = []
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
        self._reading = Reading(manifest)
        self._generation = generation
        self._deliver = deliver and manifest.connector is not None
        self._lease = lease
        self._recent = GroupCache()
        self._sizes: dict[str, int] = {}
        # A fold may come to None: the group is of no interest any more.
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(manifest.state | None)

    @property
    def _named(self) -> dict[str, Any]:
        return {"projection": self._generation.projection, "generation": self._generation.number}

    @property
    def _names(self) -> tuple[str, int]:
        return self._generation.projection, self._generation.number

    def use(self, conn: AsyncConnection) -> None:
        """Works on this connection from now on."""
        self._conn = conn

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
                states = await self._conn.execute(self._generation.composed(QUERIES["states"]), (wanted,))
                hashes = await self._conn.execute(self._generation.composed(QUERIES["signatures"]), (wanted,))
            rest = await self._conn.execute(QUERIES["rest_of_command"], (last.command_id, last.position))
        found = Groups({key: one.state for key, one in known.items()}, {key: one.facets for key, one in known.items()})
        if missing:
            found.states |= self._decoded(await states.fetchall())
            found.listed |= _facets(missing, await hashes.fetchall())
        found.rest = [self._reading.row(row) for row in await rest.fetchall()]
        return found

    def _decoded(self, rows: Sequence[Any]) -> dict[str, Any]:
        self._sizes = {key: len(state) for key, state in rows}
        return {key: self._decoder.decode(state) for key, state in rows}

    async def with_owners(self, fold: Callable[[Owners], Batch], listed: Mapping[str, Facets]) -> Batch:
        """What `fold` makes, given what other groups list of what is new in it.

        A SKU belongs to one group; a channel's code that renders another group's would take its listing away unseen.
        """
        batch = fold({})
        new = [one for where, one in batch.put.items() if where not in listed.get(one.key, ())]
        if not new:
            return batch
        cursor = await self._conn.execute(
            self._generation.composed(QUERIES["owners"]),
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
        return self._reading.of(await reader.of_key(self._conn, key, upto))

    def remember(self, batch: Batch, groups: Groups) -> None:
        """After `save`: what these groups came to need not be read again while this object writes alone."""
        self._recent.written(batch, groups.states, groups.listed, self._sizes)
        self._sizes = {}

    async def groups_using(self, codes: Sequence[str], key: str, limit: int) -> Groups:
        """The next groups, in order of key, that look one of these definitions up when they are rendered."""
        query = self._generation.composed(QUERIES["states_using"])
        given = self._named | {"after": key, "codes": list(codes), "limit": limit}
        cursor = await self._conn.execute(query, given)
        found = self._decoded(await cursor.fetchall())
        hashes = await self._conn.execute(self._generation.composed(QUERIES["signatures"]), (list(found),))
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
        for key in batch.unparked if self._manifest.keeps_history else ():
            # It is told again from its beginning, and so is its history.
            await versions.forget(self._conn, Versions(self._generation, self._manifest), key)
        if batch.unparked:
            await self._conn.execute(QUERIES["unpark"], self._named | {"keys": Array.texts(sorted(batch.unparked))})
        await self._put(batch)
        await versions.keep(self._conn, Versions(self._generation, self._manifest), batch.versions)
        await self._park(batch)
        return self._deliver and await hand_over(self._conn, self._manifest, batch, receipts)

    async def record_heartbeat(self) -> None:
        """Says that a cycle was finished, with nothing to do."""
        await self._conn.execute(QUERIES["beat"], (self._generation.projection, self._generation.number))

    async def note_failure(self, failure: Mapping[str, Any]) -> None:
        """Keeps the last failure where a person can read it when the runner is dead."""
        await note_failure(self._conn, self._generation, failure)

    async def _put(self, batch: Batch) -> None:
        if batch.states:
            bodies = [msgspec.json.encode(state) for state in batch.states.values()]
            self._sizes.update(zip(batch.states, map(len, bodies), strict=True))
            # Of a group that was not rendered whole, what it looks up stays as it is known.
            uses = ["\n".join(batch.uses[key]) if key in batch.uses else None for key in batch.states]
            await self._conn.execute(
                self._generation.composed(QUERIES["put_states"]),
                (Array.texts(list(batch.states)), Array.utf8(bodies), Array.texts(uses)),
            )
        again = [key for key in batch.uses if key not in batch.states]
        if again:
            uses = ["\n".join(batch.uses[key]) for key in again]
            await self._conn.execute(
                self._generation.composed(QUERIES["put_uses"]), (Array.texts(again), Array.texts(uses))
            )
        if batch.put:
            rows = list(batch.put.values())
            await self._conn.execute(
                self._generation.composed(QUERIES["put_listings"]),
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
        if batch.unlisted:
            await self._conn.execute(
                self._generation.composed(QUERIES["drop_listings"]),
                (Array.texts([sku for sku, _ in batch.unlisted]), Array.texts([facet for _, facet in batch.unlisted])),
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
                    [batch.left_waiting.get(row.key, 0) for row in rows],
                ),
            )
        passed = {key: number for key, number in batch.left_waiting.items() if key not in batch.parked}
        if passed:
            await self._conn.execute(QUERIES["pass_by"], (list(passed), list(passed.values()), *self._names))


def _facets(keys: Iterable[str], rows: Iterable[Sequence[Any]]) -> dict[str, Facets]:
    listed: dict[str, Facets] = {key: {} for key in keys}
    for key, sku, facet, mark in rows:
        listed.setdefault(key, {})[sku, facet] = bytes(mark)
    return listed
