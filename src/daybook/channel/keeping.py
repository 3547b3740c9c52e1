"""The versions that a projection keeps when it `keeps_history`: what was listed at any position, by index.

They stand in a third table beside the states and the listings, versions_<name>_<generation>, and are written in the
transaction that moves the checkpoint. A group has at most one version for each command, as everywhere: between two
events of one command there is nothing to see. Times are the events' own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, LiteralString, cast

import msgspec
from psycopg import sql

from daybook.channel.contract import Manifest
from daybook.channel.folding import Ended, Entry
from daybook.channel.generations import Generation
from daybook.errors import BadConfiguration
from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import load

QUERIES = load(Path(__file__).with_name("keeping.sql"))


class _Version(msgspec.Struct):
    entry: Entry
    until: int | None = None


class Versions(msgspec.Struct, frozen=True):
    """The versions of one generation of a projection."""

    generation: Generation
    manifest: Manifest

    @property
    def table(self) -> sql.Identifier:
        """Their table."""
        return _table(self.generation)

    def query(self, name: str) -> LiteralString:
        """A named query with this table in it. It is part of the program, hence a literal string to psycopg."""
        composed = sql.SQL(QUERIES[name]).format(
            versions=self.table,
            listings=self.generation.listings,
            by_key=sql.Identifier(self._name("_by_key")),
            by_content=sql.Identifier(self._name("_by_content")),
            searched=sql.Literal(self.manifest.searched),
        )
        text: Any = composed.as_string()
        return cast(LiteralString, text)

    def _name(self, rest: str) -> str:
        return f"versions_{self.generation.projection}_{self.generation.number}{rest}"


def _table(generation: Generation) -> sql.Identifier:
    return sql.Identifier(f"versions_{generation.projection}_{generation.number}")


async def begin(conn: AsyncConnection, generation: Generation, manifest: Manifest, position: int) -> None:
    """Makes the table for a generation that begins, when the manifest asks for one.

    Raises BadConfiguration when the generation has listings already and no history of them: it can't be made up.
    """
    if not manifest.keeps_history:
        return
    versions = Versions(generation, manifest)
    cursor = await conn.execute("SELECT to_regclass(%s) IS NOT NULL", (versions.table.as_string(),))
    if await cursor.fetchone() == (True,):
        return
    if position > 0:
        raise BadConfiguration(
            f"generation {generation.number} of {generation.projection} was filled without its history: "
            f"rebuild it with `daybook channel rebuild {generation.projection}`"
        )
    async with conn.transaction():
        await conn.execute(versions.query("make_versions"))
        if manifest.searched is not None:
            await conn.execute(versions.query("make_versions_by_key"))
            await conn.execute(versions.query("make_versions_by_content"))


async def keep(conn: AsyncConnection, kept: Versions, changes: Sequence[Entry | Ended]) -> None:
    """Adds what a batch listed, in the order in which it did, each version ending the one before it.

    The same changes again change nothing.
    """
    if not changes:
        return
    versions: list[_Version] = []
    standing: dict[tuple[str, str], _Version | None] = {}
    ends: list[Entry | Ended] = []
    for change in changes:
        where = change.sku, change.facet
        if where not in standing:
            ends.append(change)
        elif (before := standing[where]) is not None:
            before.until = change.position
        version = _Version(change) if isinstance(change, Entry) else None
        standing[where] = version
        if version is not None:
            versions.append(version)
    await conn.execute(
        kept.query("end_versions"),
        (
            [one.key for one in ends],
            [one.sku for one in ends],
            [one.facet for one in ends],
            [one.position for one in ends],
        ),
    )
    if versions:
        await conn.execute(
            kept.query("put_versions"),
            (
                [one.entry.key for one in versions],
                [one.entry.sku for one in versions],
                [one.entry.facet for one in versions],
                [one.until for one in versions],
                [one.entry.position for one in versions],
                [one.entry.payload.decode() if one.entry.payload is not None else None for one in versions],
                ["\n".join(one.entry.held) if one.entry.held is not None else None for one in versions],
                [one.entry.hash for one in versions],
            ),
        )


async def drop(conn: AsyncConnection, generation: Generation) -> None:
    """Drops the table, when there is one."""
    await conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_table(generation)))


async def forget(conn: AsyncConnection, kept: Versions, key: str) -> None:
    """Drops what is listed and was listed of a group, before it is folded again from its beginning."""
    for query in ("forget_versions", "forget_listings"):
        await conn.execute(kept.query(query), (key,))
