"""Columns and indexes of a listing that products are found by, for a projection with `Manifest.found_by`.

A payload of that facet has `words` (language -> text), `near` (a text in which typing mistakes are forgiven) and
`marks` (short texts, see `catalogue/marks.py`). Postgres makes the columns of them, in the transaction that lists.
"""

from typing import Any, LiteralString, cast

from psycopg import sql

from daybook.channel.contract import Manifest
from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import beside
from daybook.projection.generations import Generation

QUERIES = beside(__file__)


async def make_found(conn: AsyncConnection, generation: Generation, manifest: Manifest) -> None:
    """Makes the columns and indexes, those that are not there, when the manifest asks for them."""
    if manifest.found_by is not None:
        await conn.execute(QUERIES["make_found"], (generation.projection, generation.number))


def of_listing(generation: Generation, query: str) -> LiteralString:
    """A query with the generation's listings in it, of constants of the program, hence a literal string to psycopg."""
    text: Any = sql.SQL(cast(Any, query)).format(listings=generation.listings).as_string()
    return cast(LiteralString, text)
