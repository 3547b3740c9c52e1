"""Products that are found: a page of them, how many there are, and how many of each family, category or value.

It is looked up in the projection `search`, so it is as new as that: `position` says how new.
"""

from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any

import msgspec

from daybook import limits
from daybook.access.authority import EVERYWHERE, Reach
from daybook.app import App
from daybook.errors import InvalidValue
from daybook.filters.names import check_channel, check_slot
from daybook.postgres.pool import fetch
from daybook.postgres.sql import beside
from daybook.product.state import slot_parts
from daybook.projection.found import of_listing
from daybook.projection.generations import Generation, never_ran
from daybook.queries.moment import resolve
from daybook.queries.reach import channels_within
from daybook.search.conditions import Asking, Conditions
from daybook.search.terms import Wanted

QUERIES = beside(__file__)
NAME = "search"
COUNTED_BY = ("family", "category", "channel", "kind", "parent")
COUNTS_MAX = 100
PAGE_SKUS = 2_000


class FoundProduct(msgspec.Struct, frozen=True, kw_only=True):
    """One product, with what it has from its models."""

    sku: str
    key: str
    """The model that it belongs to, or itself."""
    kind: str
    family: str | None
    gtin: str | None
    labels: dict[str, str]
    """By locale; under "" when it has none."""
    categories: list[str]
    channels: list[str]
    """Where it is to be sold."""
    prices: dict[str, str]
    """`default.EUR` -> decimal text."""
    stock: int | None
    """Pieces that may be sold; None where nobody counted."""
    discontinued: bool
    position: int
    """Of the last change of what is looked up here."""


class FoundProducts(msgspec.Struct, frozen=True, kw_only=True):
    """Some of what was found, and the cursor that gives the next page; None on the last one."""

    products: list[FoundProduct]
    next: str | None
    total: int
    """How many there are; of more than 10,000 it is 10,000, and `more` is true."""
    more: bool
    near: bool
    """Nothing has these words: what is here has words that are nearly the same."""
    counts: dict[str, int]
    """Of the products that were counted, how many have each value of `count_by`: the 100 most frequent."""
    position: int
    """Every change up to here is taken into account."""


class Search:
    """Whatever somebody looks for, within what they may see."""

    def __init__(self, app: App, wished: Wanted, products: Reach = EVERYWHERE, channels: Reach = EVERYWHERE) -> None:
        """Raises NotFound where the search has never run, InvalidValue and Forbidden for terms."""
        self._app, self._wished, self._products = app, wished, products
        self._asking = Asking(
            reference=app.reader.reference(),
            products=products,
            channels=channels,
            position_of=self._position_of,
            listings_of=self._listings_of,
            check_channel=partial(check_channel, app),
            any_has=self._any_has,
        )
        self._generation, self.position = self._live(NAME)
        self._conditions = Conditions(self._asking, wished)

    def page(self, after: str = "", limit: int = 50, count_by: str | None = None) -> FoundProducts:
        """Up to `limit` (1 to 200) products behind a SKU. Words that nothing has are forgiven typing mistakes."""
        if not 1 <= limit <= limits.PAGE.most:
            raise InvalidValue("limit", f"must be between 1 and {limits.PAGE.most}", limit)
        prefix = None if count_by is None else self._prefix(count_by)
        total = self._total()
        near = not total and bool(self._wished.words)
        if near:
            self._conditions = Conditions(self._asking, self._wished, near=True)
            total = self._total()
        rows = self._fetch("found", after=after, limit=limit + 1) if total else []
        counts = [] if prefix is None else self._counts(prefix)
        most = limits.FOUND_COUNTED.most
        return FoundProducts(
            products=[self._product(*row) for row in rows[:limit]],
            next=rows[limit - 1][0] if len(rows) > limit else None,
            total=min(total, most),
            more=total > most,
            near=near and bool(total),
            counts=dict(counts),
            position=self.position,
        )

    def skus(self) -> Iterator[tuple[str, str]]:
        """(SKU, group) of all that have exactly these words, in order."""
        after = ""
        while True:
            rows = self._fetch("skus", after=after, limit=PAGE_SKUS)
            yield from rows
            if len(rows) < PAGE_SKUS:
                return
            after = rows[-1][0]

    def _any_has(self, mark: str) -> bool:
        scope = Conditions(self._asking, Wanted())
        query = QUERIES["any_has"].replace("<conditions>", scope.text)
        return bool(fetch(self._app.pool, of_listing(self._generation, query), scope.parameters | {"mark": [mark]}))

    def _total(self) -> int:
        return int(self._fetch("total", limit=limits.FOUND_COUNTED.most + 1)[0][0])

    def _counts(self, prefix: str) -> list[Any]:
        rows = self._fetch("counts", prefix=prefix, most=limits.FOUND_COUNTED.most, limit=COUNTS_MAX)
        visible = self._visible
        return rows if prefix != "channel:" or visible is None else [one for one in rows if one[0] in visible]

    def _prefix(self, count_by: str) -> str:
        if count_by in COUNTED_BY:
            return f"{count_by}:"
        if slot_parts(count_by)[0] not in self._asking.reference.attributes:
            known = ", ".join(COUNTED_BY)
            raise InvalidValue("count_by", f"must be one of {known} or an attribute", count_by)
        count_by = check_slot(self._asking.reference, count_by, "count_by")
        return f"is:{count_by}="

    def _fetch(self, name: str, **given: Any) -> list[Any]:
        query = QUERIES[name].replace("<conditions>", self._conditions.text)
        return fetch(self._app.pool, of_listing(self._generation, query), self._conditions.parameters | given)

    @cached_property
    def _visible(self) -> frozenset[str] | None:
        return channels_within(self._products)

    def _product(self, sku: str, key: str, position: int, payload: dict[str, Any]) -> FoundProduct:
        if self._visible is not None:
            payload = payload | {"channels": [name for name in payload["channels"] if name in self._visible]}
        return msgspec.convert(payload | {"sku": sku, "key": key, "position": position}, FoundProduct)

    def _position_of(self, moment: str) -> int:
        if moment.isascii() and moment.isdigit():
            return resolve(self._app.reader, position=int(moment[:19])).position
        return resolve(self._app.reader, moment).position

    def _live(self, projection: str) -> tuple[Generation, int]:
        rows = fetch(self._app.pool, QUERIES["live"], {"projection": projection})
        if not rows:
            raise never_ran(projection)
        return Generation(projection, rows[0][0]), rows[0][1]

    def _listings_of(self, channel: str) -> str:
        """Raises NotFound for a channel that there is not, or that never ran."""
        self._app.registry.get(channel)
        return of_listing(self._live(channel)[0], "{listings}")
