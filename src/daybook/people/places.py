"""Where copies of what is known of people may be, besides the vault. Each room that keeps some declares its place."""

from collections.abc import Callable, Sequence

import msgspec

from daybook.postgres.pool import AsyncConnection, Pool
from daybook.postgres.sql import beside

QUERIES = beside(__file__)


class ErasablePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place that may hold values of a person: bodies that were sent, a page that was rendered, an import's rows.

    A place marks what it keeps with the ids of the people it is about when it writes it, since afterwards nobody can
    tell: values are in it, not ids. Before it writes, it asks `erased_among`, and keeps nothing of who was erased.
    """

    name: str
    """A noun for people, `delivery journal`; each place its own."""
    about: str
    """What may be there, in plain words."""
    erase: Callable[[Pool, str], int]
    """erase(book's database, person) -> how many entries were cleared. Safe to repeat, and to be cut off anywhere."""


async def erased_among(conn: AsyncConnection, people: Sequence[str]) -> set[str]:
    """Those of them whose erasure has begun: nothing of theirs may be kept any more."""
    rows = await (await conn.execute(QUERIES["erased_among"], (list(people),))).fetchall()
    return {person for (person,) in rows}
