"""A projection's generations: numbered, each with its own two tables and its own checkpoint.

Readers always see one whole generation, the live one. A rebuild fills another beside it.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, LiteralString

import msgspec
from psycopg import sql

from daybook.channel.contract import Manifest, check_name
from daybook.errors import NotFound
from daybook.postgres.pool import AsyncConnection, Connection
from daybook.postgres.sql import beside

QUERIES = beside(__file__)
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

    def composed(self, query: LiteralString, **more: sql.Composable) -> bytes:
        """A query with this generation's tables, and what else it names, in it."""
        return _composed(self, query) if not more else _compose(self, query, more)


@cache
def _composed(generation: Generation, query: LiteralString) -> bytes:
    return _compose(generation, query, {})


def _compose(generation: Generation, query: LiteralString, more: Mapping[str, sql.Composable]) -> bytes:
    composed = sql.SQL(query).format(
        states=generation.states,
        listings=generation.listings,
        by_key=sql.Identifier(f"listings_{generation.projection}_{generation.number}_by_key"),
        by_uses=sql.Identifier(f"states_{generation.projection}_{generation.number}_by_uses"),
        **more,
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


async def make_tables(conn: AsyncConnection, generation: Generation) -> None:
    """Makes the generation's two tables with their indexes, when they are not there."""
    await conn.execute("SET LOCAL client_min_messages = warning")
    await conn.execute(QUERIES["make_generation"], (generation.projection, generation.number))


async def let_roles(conn: AsyncConnection, generation: Generation) -> None:
    """Lets the roles that there are at tables that the owner has made: those who fold write them."""
    await conn.execute(QUERIES["open_generation"], (generation.projection, generation.number))


async def live(conn: AsyncConnection, manifest: Manifest) -> tuple[Generation, Checkpoint]:
    """The live generation, made with its tables when the projection is new. Safe to call from many processes."""
    check_name(manifest.name)
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await conn.execute(QUERIES["add_projection"], (manifest.name,))
        await conn.execute(QUERIES["add_generation"], (manifest.version, manifest.name))
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


async def live_now(conn: AsyncConnection, projection: str) -> tuple[Generation, Checkpoint]:
    """The live generation of a projection and where it stands. NotFound when it has never run here."""
    row = await (await conn.execute(QUERIES["live_generation"], (projection,))).fetchone()
    if row is None:
        raise never_ran(projection)
    return Generation(projection, row[0]), checkpoint(row[1:])


def live_of(conn: Connection, projection: str) -> Generation:
    """The live generation of a projection. NotFound when it has never run here."""
    row = conn.execute(QUERIES["live_generation"], (projection,)).fetchone()
    if row is None:
        raise never_ran(projection)
    return Generation(projection, row[0])


def never_ran(projection: str) -> NotFound:
    """The error that names a projection without a generation, and the next step."""
    return NotFound(
        f"the projection {projection} has never run here: start it with `daybook up`",
        channel=projection,
    )


def exists(conn: Connection, generation: Generation) -> bool:
    """Whether there is this generation."""
    return conn.execute(QUERIES["checkpoint"], (generation.projection, generation.number)).fetchone() is not None
