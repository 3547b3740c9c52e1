"""The catalogue, a page at a time."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from daybook.access.authority import EVERYWHERE, Reach
from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.commands import DescribeProduct
from daybook.errors import InvalidValue
from daybook.log.reader import Reader
from daybook.product.state import slot, slot_parts
from daybook.queries.groups import fold
from daybook.queries.moment import Moment
from daybook.queries.product import variants
from daybook.queries.reach import channels_within, touched_at, within
from daybook.queries.timeline import GroupThen, Past
from daybook.queries.walk import Walk
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
    """Some of the catalogue, and the cursor that gives the next page; None on the last one.

    A page may be short, or empty, while there is a next one: what one request reads is bounded.
    """

    products: list[Summary]
    next: str | None
    position: int


def page(reader: Reader, moment: Moment, after: str = "", limit: int = 50, reach: Reach = EVERYWHERE) -> Page:
    """The product groups after a SKU, in the database's order of their keys, at most `limit` (1 to 200).

    What is outside of `reach` now is left out before the page is cut, and so are channels outside of it.

    Raises InvalidValue. One indexed statement for the keys, one for the definitions, one for each group.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidValue("limit", f"must be between 1 and {LIMIT_MAX}", limit)
    walk = Walk(reader, parse_sku(after, "after") if after else "", moment.position)
    reference, channels = reader.reference(moment.position), channels_within(reach)
    products: list[Summary] = []
    for key, events in walk:
        if len(products) == limit:  # there is more
            return Page(products, products[-1].sku, moment.position)
        group = fold(events)
        if group is None or key not in group.products:
            continue
        if reach.everything or reach.holds(touched_at(reader, key)):
            products.append(_masked(summary(group, reference, events[-1].position), channels))
    return Page(products, None if walk.ended else walk.at, moment.position)


class CatalogueLine(msgspec.Struct, frozen=True, kw_only=True):
    """A product group at a moment."""

    key: str
    families: list[str]
    categories: list[str]
    listed_on: list[str]
    """Channels on which one of its products is to be sold."""
    products: list[DescribeProduct]
    """Each complete, as an export would tell it: own values only; models before their variants."""
    labels: dict[str, dict[str, str]]
    """SKU -> what it is called, by locale, as in `Summary`; a variant without a name of its own has its model's."""


class PageThen(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the catalogue at a moment, and the cursor that gives the next page; None on the last one.

    A page may be short, or empty, while there is a next one: what one request reads is bounded.
    """

    groups: list[CatalogueLine]
    next: str | None
    position: int
    looked_up: bool
    """False: the timeline does not cover the moment, so this was folded from the log. It is as true, only slower."""


def page_then(
    past: Past,
    reference: Reference,
    after: str = "",
    limit: int = 50,
    *,
    family: str | None = None,
    category: str | None = None,
    listed_on: str | None = None,
    reach: Reach = EVERYWHERE,
    reader: Reader | None = None,
) -> PageThen:
    """The product groups after a key that match, in the database's order of their keys, at most `limit` (1 to 200).

    A group matches when one of its products has the family, is in this very category, is to be sold on the channel;
    with several filters, each holds for one of its products. What is outside of `reach`, then or (with `reader`) now,
    is left out. Raises InvalidValue.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidValue("limit", f"must be between 1 and {LIMIT_MAX}", limit)
    filters = {"families": family, "categories": category, "listed_on": listed_on}
    wanted = {field: parse_code(value, field) for field, value in filters.items() if value is not None}
    found = past.page(parse_sku(after, "after") if after else "", limit, wanted, within(reach, reference))
    channels = channels_within(reach)
    return PageThen(
        groups=[
            _line(one, reference, channels)
            for one in found.groups
            if reader is None or reach.everything or reach.holds(touched_at(reader, one.key))
        ],
        next=found.next,
        position=past.position,
        looked_up=past.indexed,
    )


def full_page_then(
    past: Past,
    reference: Reference,
    on_progress: Callable[[PageThen], None],
    after: str = "",
    limit: int = 50,
    **filters: Any,
) -> PageThen:
    """The same as `page_then`, but full or the last one: for somebody who can wait.

    `on_progress` hears how far it is.
    """
    found = page_then(past, reference, after, limit, **filters)
    while found.next is not None and len(found.groups) < limit:
        on_progress(found)
        more = page_then(past, reference, found.next, limit - len(found.groups), **filters)
        found = replace(more, groups=[*found.groups, *more.groups])
    return found


def _masked(line: Summary, channels: frozenset[str] | None) -> Summary:
    if channels is None:
        return line
    return replace(line, channels=[name for name in line.channels if name in channels])


def _line(group: GroupThen, reference: Reference, channels: frozenset[str] | None = None) -> CatalogueLine:
    products = group.descriptions()
    if channels is not None:
        products = [
            replace(one, channels={name: on for name, on in (one.channels or {}).items() if name in channels})
            for one in products
        ]
    labels: dict[str, dict[str, str]] = {}
    for one in products:
        own = {slot(each.attribute, each.locale, each.channel): each.value for each in one.attributes or ()}
        # Models come first, so what is inherited is there already.
        labels[one.sku] = labels.get(str(one.parent), {}) | _labels(own, _label_attribute(reference, str(one.family)))
    return CatalogueLine(
        key=group.key,
        families=list(group.facts().get("families", ())),
        categories=list(group.facts().get("categories", ())),
        listed_on=[name for name in group.facts().get("listed_on", ()) if channels is None or name in channels],
        products=products,
        labels=labels,
    )


def summary(group: Group, reference: Reference, last_position: int) -> Summary:
    """One group's line. Pure."""
    product = group.products[group.key]
    named = dict.fromkeys(name for each in group.products.values() for name in each.channels)
    return Summary(
        sku=product.sku,
        kind=product.kind,
        family=product.family,
        labels=_labels(product.attributes, _label_attribute(reference, product.family)),
        gtin=product.gtin,
        stock_total=sum(sum(stock.quantities.values()) for stock in group.stock.values()),
        channels=[name for name in named if any(group.listed(sku, name) for sku in group.products)],
        discontinued=product.discontinued,
        variants=variants(group, product.sku),
        last_position=last_position,
    )


def _label_attribute(reference: Reference, family_code: str | None) -> str:
    family = reference.families.get(family_code or "")
    return (family.label_attribute if family else None) or "name"


def _labels(attributes: Mapping[str, object], label: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in attributes.items():
        attribute, locale, _ = slot_parts(name)
        if attribute == label and isinstance(value, str):
            found.setdefault(locale or "", value)
    return found
