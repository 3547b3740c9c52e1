"""What is found is changed: the products, chosen once, as rows that the ingest carries out."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from daybook import limits
from daybook.access.authority import EVERYWHERE, Reach
from daybook.app import App
from daybook.catalogue.reference import Reference
from daybook.commands import DescribeProduct
from daybook.commands.described import described
from daybook.edit.settings import FieldSetting, Idle, settings, wished
from daybook.errors import InvalidValue, NotFound
from daybook.filters.names import check_channel
from daybook.importing.rows import Entry, Flag, Notice, Row
from daybook.limits import Limit
from daybook.product.state import Product
from daybook.search.find import Search
from daybook.search.terms import Wanted
from daybook.values import check_limit

NAME = "edit"
"""What its rows have in the place of a file."""
_ROUNDED = "amounts are rounded to the smallest unit of their currency, a half up"


class FoundEdit:
    """An edit of what is found: products and settings, both looked at before anything is written.

    Hazard: `*=` done twice is wrong. Each product's command id is made of the correlation, what was asked for, and the
    SKU, and the log takes a command id once: so one edit changes a product at most once, however often it is begun
    again with its correlation, and by however many at once. A command decides on the version of the product that its
    values were reckoned from. Without that correlation it is another edit, and multiplies again.
    """

    def __init__(
        self,
        app: App,
        wish: Wanted,
        texts: Sequence[str],
        products: Reach = EVERYWHERE,
        channels: Reach = EVERYWHERE,
        limit: Limit = limits.EDITED,
    ) -> None:
        """Raises InvalidValue and Forbidden; NotFound where the search never ran."""
        if wish.anything:
            raise InvalidValue("where", "say which products, by words or terms; sku=* for all of them", None)
        self._wish = hashlib.blake2b(msgspec.json.encode((wish, list(texts))), digest_size=8).hexdigest()
        self._reference = app.reader.reference()
        self._settings = settings(texts, self._reference, partial(check_channel, app))
        search = Search(app, wish, products, channels)
        self.position = search.position
        """Up to which changes are taken into account in what is found."""
        self.skus: list[str] = []
        for sku, _ in search.skus():
            self.skus.append(sku)
            check_limit(limit, len(self.skus), "where")

    def entries(self, correlation: str) -> Iterator[Entry]:
        """A row a product: its record says what the edit is about, its values are reckoned when it is its turn."""
        yield Notice(NAME, "found", f"{len(self.skus):,} products, as of position {self.position}")
        if any(one.column.noun == "prices" and one.operator != "=" for one in self._settings):
            yield Notice(NAME, "rounding", _ROUNDED)
        about = {one.column.field: one.absolute for one in self._settings}
        for number, sku in enumerate(self.skus, 1):
            yield Row(
                file=NAME,
                line=number,
                record=described(sku, about),
                derived=partial(_derived, sku, self._settings, self._reference),
                command_id=f"edit-{self._hash(correlation, sku)}",
            )

    def _hash(self, correlation: str, sku: str) -> str:
        return hashlib.blake2b("\x1f".join((correlation, self._wish, sku)).encode(), digest_size=16).hexdigest()


def _derived(
    sku: str, chosen: Sequence[FieldSetting], reference: Reference, product: Product | None
) -> tuple[DescribeProduct, tuple[Flag, ...]]:
    if product is None:
        raise NotFound(f"there is no product {sku}", sku=sku)
    fields, flags = {}, []
    for one in chosen:
        found = wished(one, product, reference)
        if isinstance(found, Idle):
            flags.append(Flag(one.column.name, None, found.reason))
        else:
            fields[one.column.field] = found
    return described(sku, fields), tuple(flags)
