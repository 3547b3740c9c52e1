"""The versions that a projection keeps when it `keeps_history`: what was listed at any position, by index.

They stand in a third table beside the states and the listings, versions_<name>_<generation>, and are written in the
transaction that moves the checkpoint. A group has at most one version for each command, as everywhere: between two
events of one command there is nothing to see. Times are the events' own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, LiteralString, cast

import msgspec
from psycopg import sql

from daybook.channel.contract import Manifest
from daybook.errors import BadConfiguration
from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import load
from daybook.projection.folding import Ended, Entry
from daybook.projection.generations import Generation

QUERIES = load(Path(__file__).with_name("versions.sql"))


class Version(msgspec.Struct):
    """What was listed from its entry's position on, to the one before `until`; None while it stands."""

    entry: Entry
    until: int | None = None
    at: datetime | None = None
    """When the event at the entry's position was recorded, where that is known; `until_at` likewise."""
    until_at: datetime | None = None


class Chain:
    """Changes in the order in which they were made, as versions that each end the one before it."""

    def __init__(self) -> None:
        self._standing: dict[tuple[str, str], Version] = {}

    def add(
        self, changes: Sequence[Entry | Ended], times: Mapping[int, datetime] = MappingProxyType({})
    ) -> list[Version]:
        """The versions that these changes ended. `times`: position -> when it was recorded."""
        ended = []
        for change in changes:
            before = self._standing.pop((change.sku, change.facet), None)
            if before is not None:
                before.until, before.until_at = change.position, times.get(change.position)
                ended.append(before)
            if isinstance(change, Entry):
                self._standing[change.sku, change.facet] = Version(change, at=times.get(change.position))
        return ended

    def close(self) -> list[Version]:
        """The versions that stand; it begins anew after that."""
        standing, self._standing = self._standing, {}
        return list(standing.values())


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
    named = {"projection": generation.projection, "number": generation.number, "searched": manifest.searched}
    await conn.execute(QUERIES["make_whole"], named)


async def make_bare(conn: AsyncConnection, versions: Versions) -> None:
    """Makes the table, without what only looking things up needs."""
    await conn.execute(versions.query("make_versions"))


async def make_indexes(conn: AsyncConnection, versions: Versions) -> None:
    """Makes the key and the indexes of what is searched, those that are not there."""
    cursor = await conn.execute(versions.query("has_key"), (versions.table.as_string(conn),))
    if await cursor.fetchone() is None:
        await conn.execute(versions.query("key_versions"))
    if versions.manifest.searched is not None:
        await conn.execute(versions.query("make_versions_by_key"))
        await conn.execute(versions.query("make_versions_by_content"))
    await conn.execute(versions.query("analyze_versions"))


async def keep(conn: AsyncConnection, kept: Versions, changes: Sequence[Entry | Ended]) -> None:
    """Adds what a batch listed, in the order in which it did, each version ending the one before it.

    The same changes again change nothing.
    """
    if not changes:
        return
    chain = Chain()
    # A facet's first change ends what was listed before this batch.
    ends = list({(change.sku, change.facet): change for change in reversed(changes)}.values())
    versions = chain.add(changes) + chain.close()
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
