"""Lists beside products (what they lack, their texts, what is planned) for who sees a part of the catalogue alone.

A row about a product on a channel is about that channel: a grant must hold the product's categories and the channel,
as for the product's listing there. A row about a product alone is seen by who sees the product.
"""

from collections.abc import Callable
from typing import TypeVar

from daybook.access.authority import Reach, Touched
from daybook.access.permissions import CHANNEL
from daybook.errors import Forbidden
from daybook.log.reader import Reader
from daybook.queries.reach import channels_within, touched_at

R = TypeVar("R")
Read = Callable[[str | None, int], tuple[list[R], str | None]]
"""(after, limit) -> rows behind a place, and the place behind them; None when there are no more."""
ROWS_READ = 200
READS_MAX = 10
"""For one page. A question of which few rows are within reach takes many requests, none of which takes long."""


class Visible:
    """What is within reach of one request; each product is looked up once."""

    def __init__(self, reader: Reader, reach: Reach) -> None:
        self.reader = reader
        self.reach = reach
        self._touched: dict[str, Touched] = {}

    def holds(self, sku: str, channel: str | None = None) -> bool:
        """Whether something about the product, and about the channel where one is named, is within reach."""
        if self.reach.everything:
            return True
        touched = self._touched.get(sku)
        if touched is None:
            touched = self._touched[sku] = touched_at(self.reader, sku)
        return self.reach.holds(touched if channel is None else {**touched, CHANNEL: frozenset({channel})})


def within_reach(
    read: Read[R], sees: Callable[[R], bool], place: Callable[[R], str], after: str | None, limit: int
) -> tuple[list[R], str | None]:
    """Up to `limit` rows that are seen, and the place behind them: that of a row that is seen, too.

    Where the work of one request ends the page may be short, or empty, while there is a next one.
    """
    found: list[R] = []
    for _ in range(READS_MAX):
        rows, after = read(after, ROWS_READ)
        for one in rows:
            if sees(one):
                found.append(one)
                if len(found) == limit:
                    return found, place(one)
        if after is None:
            return found, None
    return found, after


def check_within(reach: Reach, channel: str | None, field: str, permission: str) -> None:
    """Raises Forbidden for a channel outside of the reach that is asked for by name, whether there is one or not."""
    visible = channels_within(reach)
    if channel is not None and visible is not None and channel not in visible:
        raise outside(f"{field}={channel}", permission)


def outside(what: str, permission: str) -> Forbidden:
    """The refusal to tell of a channel."""
    return Forbidden(
        f"{what} is about a channel outside of your grants: name one that is inside, or ask an owner for a wider grant",
        permission=permission,
    )
