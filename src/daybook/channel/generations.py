"""A projection's generations: numbered, each with its own two tables and its own checkpoint.

Readers always see one whole generation, the live one. A rebuild fills another beside it.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from psycopg import sql

from daybook.channel import QUERIES
from daybook.channel.contract import Manifest
from daybook.errors import BadConfiguration, NotFound
from daybook.postgres.pool import AsyncConnection

NAME = re.compile(r"[a-z][a-z0-9]{0,30}\Z")
"""No underscore: DAYBOOK_CHANNEL_<NAME>_<KEY> could not be taken apart."""
_LOCK = 0x67656E  # 'gen'


class Generation(msgspec.Struct, frozen=True):
    """One generation of one projection."""

    projection: str
    number: int

    @property
    def states(self) -> sql.Identifier:
        """The table of folded states, one row for each product group."""
        return sql.Identifier(f"states_{self.projection}_{self.number}")

    @property
    def listings(self) -> sql.Identifier:
        """The table of rendered facets."""
        return sql.Identifier(f"listings_{self.projection}_{self.number}")

    def query(self, name: str) -> bytes:
        """A named query with this generation's tables in it."""
        return _query(self, name)


@cache
def _query(generation: Generation, name: str) -> bytes:
    composed = sql.SQL(QUERIES[name]).format(
        states=generation.states,
        listings=generation.listings,
        by_key=sql.Identifier(f"listings_{generation.projection}_{generation.number}_by_key"),
        by_uses=sql.Identifier(f"states_{generation.projection}_{generation.number}_by_uses"),
    )
    return composed.as_bytes()


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a generation stands: every event up to `position` is in its listings.

    `reference_from`: definitions that `reference_codes` names changed, and the groups with a greater key that use one
    of them are still to be rendered again. `epoch` rises when anybody but the runner changed the generation.
    """

    position: int
    reference_from: str | None = None
    reference_codes: tuple[str, ...] = ()
    epoch: int = 0


def check_name(name: str) -> str:
    """A projection's name becomes part of table names."""
    if not NAME.match(name):
        raise BadConfiguration(f"the projection name {name!r} must match {NAME.pattern}")
    return name


async def make_tables(conn: AsyncConnection, generation: Generation, *, indexes: bool = True) -> None:
    """Makes the generation's two tables, when they are not there. A rebuild adds the indexes after filling them."""
    await conn.execute("SET LOCAL client_min_messages = warning")
    for query in ("make_states", "make_listings"):
        await conn.execute(generation.query(query))
    if indexes:
        await make_indexes(conn, generation)


async def make_indexes(conn: AsyncConnection, generation: Generation) -> None:
    """Makes the indexes that live running needs."""
    for query in ("make_states_index", "make_listings_index"):
        await conn.execute(generation.query(query))


async def live(conn: AsyncConnection, manifest: Manifest) -> tuple[Generation, Checkpoint]:
    """The live generation, made with its tables when the projection is new. Safe to call from many processes."""
    check_name(manifest.name)
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await conn.execute(QUERIES["add_projection"], (manifest.name,))
        await conn.execute(QUERIES["add_generation"], (manifest.name, 1, manifest.version))
        row = await (await conn.execute(QUERIES["live_generation"], (manifest.name,))).fetchone()
        assert row is not None
        generation = Generation(manifest.name, row[0])
        await make_tables(conn, generation)
    return generation, checkpoint(row[1:])


async def checkpoint_of(conn: AsyncConnection, generation: Generation) -> Checkpoint:
    """Where this generation stands."""
    names = (generation.projection, generation.number)
    row = await (await conn.execute(QUERIES["checkpoint"], names)).fetchone()
    if row is None:
        raise NotFound(f"{generation.projection} has no generation {generation.number}")
    return checkpoint(row)


async def hold(conn: AsyncConnection, generation: Generation) -> Checkpoint:
    """Inside a transaction: nobody else writes this generation until it ends; its runner then starts over."""
    names = (generation.projection, generation.number)
    row = await (await conn.execute(QUERIES["hold_generation"], names)).fetchone()
    if row is None:
        raise NotFound(f"{generation.projection} has no generation {generation.number}")
    return checkpoint(row)


def checkpoint(row: Sequence[Any]) -> Checkpoint:
    """A row of the checkpoint queries."""
    return Checkpoint(position=row[0], reference_from=row[1], reference_codes=tuple(row[2]), epoch=row[3])
