"""The catalogue, a page at a time."""

from collections.abc import Mapping

import msgspec

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.commands import DescribeProduct
from daybook.errors import InvalidValue
from daybook.log.reader import Reader
from daybook.product.state import slot_parts
from daybook.queries.groups import fold
from daybook.queries.moment import Moment
from daybook.queries.product import variants
from daybook.queries.timeline import Past
from daybook.values import parse_code, parse_sku

LIMIT_MAX = 200


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the catalogue: a product, or a model with its variants' SKUs."""

    sku: str
    kind: str
    family: str | None
    labels: dict[str, str]
    """By locale, from the family's label attribute (`name` where it names none); under "" when it has no locale."""
    gtin: str | None
    stock_total: int
    """Pieces of the product and its variants together."""
    channels: list[str]
    """Where it, or one of its variants, is to be sold."""
    discontinued: bool
    variants: tuple[str, ...]
    last_position: int
    """Of the last event of the whole group, a channel's receipts included."""


class Page(msgspec.Struct, frozen=True):
    """Some of the catalogue, and the cursor that gives the next page; None on the last one."""

    products: list[Summary]
    next: str | None
    position: int


def page(reader: Reader, moment: Moment, after: str = "", limit: int = 50) -> Page:
    """The product groups after a SKU, in the database's order of their keys, at most `limit` (1 to 200).

    Raises InvalidValue. One indexed statement for the page's keys, one for the definitions, one for each group.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidValue("limit", f"must be between 1 and {LIMIT_MAX}", limit)
    keys = reader.keys(parse_sku(after, "after") if after else "", moment.position, limit + 1)
    reference = reader.reference(moment.position)
    products: list[Summary] = []
    for key in keys[:limit]:
        events = reader.of_key(key, moment.position)
        group = fold(events)
        if group is not None and key in group.products:
            products.append(summary(group, reference, events[-1].position))
    return Page(products, keys[limit - 1] if len(keys) > limit else None, moment.position)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A product group at a moment."""

    key: str
    families: list[str]
    categories: list[str]
    listed_on: list[str]
    """Channels on which one of its products is to be sold."""
    products: list[DescribeProduct]
    """Each complete, as an export would tell it: own values only; models before their variants."""


class PageThen(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the catalogue at a moment, and the cursor that gives the next page; None on the last one."""

    groups: list[Line]
    next: str | None
    position: int
    looked_up: bool
    """False: the timeline does not cover the moment, so this was folded from the log. It is as true, only slower."""


def page_then(
    past: Past,
    after: str = "",
    limit: int = 50,
    *,
    family: str | None = None,
    category: str | None = None,
    listed_on: str | None = None,
) -> PageThen:
    """The product groups after a key that match, in the database's order of their keys, at most `limit` (1 to 200).

    A group matches when one of its products has the family, is in this very category, is to be sold on the channel;
    with several filters, each holds for one of its products. Raises InvalidValue.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidValue("limit", f"must be between 1 and {LIMIT_MAX}", limit)
    filters = {"families": family, "categories": category, "listed_on": listed_on}
    wanted = {field: parse_code(value, field) for field, value in filters.items() if value is not None}
    found = past.page(parse_sku(after, "after") if after else "", limit + 1, wanted)
    lines = [
        Line(
            key=one.key,
            families=list(one.facts().get("families", ())),
            categories=list(one.facts().get("categories", ())),
            listed_on=list(one.facts().get("listed_on", ())),
            products=one.descriptions(),
        )
        for one in found[:limit]
    ]
    return PageThen(
        groups=lines,
        next=found[limit - 1].key if len(found) > limit else None,
        position=past.position,
        looked_up=past.indexed,
    )


def summary(group: Group, reference: Reference, last_position: int) -> Summary:
    """One group's line. Pure."""
    product = group.products[group.key]
    family = reference.families.get(product.family or "")
    label = (family.label_attribute if family else None) or "name"
    named = dict.fromkeys(name for each in group.products.values() for name in each.channels)
    return Summary(
        sku=product.sku,
        kind=product.kind,
        family=product.family,
        labels=_labels(product.attributes, label),
        gtin=product.gtin,
        stock_total=sum(sum(stock.quantities.values()) for stock in group.stock.values()),
        channels=[name for name in named if any(group.listed(sku, name) for sku in group.products)],
        discontinued=product.discontinued,
        variants=variants(group, product.sku),
        last_position=last_position,
    )


def _labels(attributes: Mapping[str, object], label: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for slot, value in attributes.items():
        attribute, locale, _ = slot_parts(slot)
        if attribute == label and isinstance(value, str):
            found.setdefault(locale or "", value)
    return found
