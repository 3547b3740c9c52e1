"""A projection's generations: numbered, each with its own two tables and its own checkpoint.

Readers always see one whole generation, the live one. A rebuild fills another beside it.
"""

import re
from functools import cache

import msgspec
from psycopg import sql

from daybook.channel import QUERIES
from daybook.channel.contract import Manifest
from daybook.errors import BadConfiguration
from daybook.postgres.pool import AsyncConnection

NAME = re.compile(r"[a-z][a-z0-9_]{0,30}\Z")
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
    )
    return composed.as_bytes()


class Checkpoint(msgspec.Struct, frozen=True):
    """Where a generation stands: every event up to `position` is in its listings.

    `reference_from`: the reference changed, and groups with a greater key are still to be rendered with the new one.
    """

    position: int
    reference_from: str | None


async def live(conn: AsyncConnection, manifest: Manifest) -> tuple[Generation, Checkpoint]:
    """The live generation, made with its tables when the projection is new. Safe to call from many processes."""
    if not NAME.match(manifest.name):
        raise BadConfiguration(f"the projection name {manifest.name!r} must match {NAME.pattern}")
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await conn.execute(QUERIES["add_projection"], (manifest.name,))
        await conn.execute(QUERIES["add_generation"], (manifest.name, 1, manifest.version))
        cursor = await conn.execute(QUERIES["live_generation"], (manifest.name,))
        row = await cursor.fetchone()
        assert row is not None
        generation = Generation(manifest.name, row[0])
        await conn.execute("SET LOCAL client_min_messages = warning")
        for query in ("make_states", "make_listings", "make_listings_index"):
            await conn.execute(generation.query(query))
    return generation, Checkpoint(row[3], row[4])
