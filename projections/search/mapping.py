"""Every product, listed somewhere or not, with what it inherits: what is shown of it, and what it is found by.

`words` are its texts by language, `near` what a typing mistake is forgiven in, `marks` what filters look for.
"""

from collections.abc import Iterator

from daybook.catalogue.group import Group
from daybook.catalogue.marks import band, folded, said
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Payload, Rendered, SkuChange
from daybook.events import Value
from daybook.product.state import slot_parts
from daybook.values import Money

NAME = "search"
FOUND = "found"
FACETS = (FOUND,)
WORDS_MAX = 4_000
"""Characters of each language: a name and a description, not a manual."""
NEAR_MAX = 300
LABELS_MAX = 20


def render(group: Group, reference: Reference) -> Rendered:
    """(SKU, `found`) -> what is shown of it and what it is found by."""
    within = [*_within(group)]
    return {(sku, FOUND): _found(group, sku, within, reference) for sku in group.products}


def render_change(change: SkuChange) -> Rendered | None:
    """Stock is nobody else's; anything else may be inherited by others of the group."""
    if not change.stock_only or change.sku not in change.after.products:
        return None
    group = change.after
    return {(change.sku, FOUND): _found(group, change.sku, [*_within(group)], change.reference)}


def _within(group: Group) -> Iterator[str]:
    """What scopes look at, of the whole group: a variant is within reach when its model is."""
    products = group.products.values()
    yield from sorted({f"in:{code}" for product in products for code in product.categories})
    for name in sorted({name for product in products for name in product.channels}):
        if any(group.listed(sku, name) for sku in group.products):
            yield f"sold:{name}"


def _found(group: Group, sku: str, within: list[str], reference: Reference) -> Payload:
    product, values = group.products[sku], _values(group, sku)
    family = group.family(sku)
    definition = reference.families.get(family) if family else None
    labels = _labels(values, (definition.label_attribute if definition else None) or "name")
    prices = dict(sorted(_prices(group, sku).items()))
    stock = group.available(sku) if sku in group.stock else None
    channels = sorted(name for name in _named(group, sku) if group.listed(sku, name))
    discontinued = any(one.discontinued for one in group.chain(sku))
    plain = {
        "kind": product.kind,
        "family": family,
        "parent": product.parent,
        "gtin": product.gtin,
        "labels": labels,
        "categories": list(group.categories(sku)),
        "channels": channels,
        "prices": {name: f"{money.decimal():f}" for name, money in prices.items()},
        "stock": stock,
        "discontinued": discontinued,
    }
    marks = [f"id:{folded(sku)}", f"kind:{product.kind}", "discontinued" if discontinued else "active", *within]
    marks += [f"{noun}:{plain[noun]}" for noun in ("family", "parent") if plain[noun]]
    marks += [f"has:{noun}" for noun in ("family", "parent", "gtin", "categories", "channels", "prices") if plain[noun]]
    marks += [f"id:{product.gtin}"] if product.gtin else []
    marks += ["has:media"] if any(True for one in group.chain(sku) for _ in one.media) else []
    marks += [f"category:{code}" for code in _above(group, sku, reference)]
    marks += [f"channel:{name}" for name in channels]
    marks += [f"has:prices.{name}" for name in prices]
    marks += [f"prices.{name}:{band(money.amount)}" for name, money in prices.items()]
    marks += [] if stock is None else ["has:stock", f"stock:{band(stock)}"]
    marks += _said(values)
    near = " ".join([*dict.fromkeys(folded(one) for one in labels.values()), folded(sku)])
    return plain | {"words": _words(values), "near": near[:NEAR_MAX], "marks": sorted(dict.fromkeys(marks))}


def _values(group: Group, sku: str) -> dict[str, Value]:
    """Slot -> value, the nearest first."""
    values: dict[str, Value] = {}
    for product in group.chain(sku):
        values = product.attributes | values
    return dict(sorted(values.items()))


def _labels(values: dict[str, Value], attribute: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for slot, value in values.items():
        name, locale, _ = slot_parts(slot)
        if name == attribute and isinstance(value, str) and len(labels) < LABELS_MAX:
            labels.setdefault(locale or "", value[:NEAR_MAX])
    return labels


def _words(values: dict[str, Value]) -> dict[str, str]:
    """Language -> its texts; those of no language under ``."""
    texts: dict[str, list[str]] = {}
    for slot, value in values.items():
        _, locale, _ = slot_parts(slot)
        said_here = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        texts.setdefault((locale or "").partition("-")[0].lower(), []).extend(folded(one) for one in said_here)
    return {language: " ".join(each)[:WORDS_MAX] for language, each in texts.items() if each}


def _said(values: dict[str, Value]) -> Iterator[str]:
    for slot, value in values.items():
        attribute, locale, _ = slot_parts(slot)
        if value == [] or (isinstance(value, str) and not value.strip()):
            continue
        names = dict.fromkeys((attribute, f"{attribute}@{locale}" if locale else attribute, slot))
        for name in names:
            yield f"has:{name}"
            yield from (f"is:{name}={one}" for one in said(value))


def _prices(group: Group, sku: str) -> dict[str, Money]:
    found: dict[str, Money] = {}
    for product in group.chain(sku):
        for price_list, amounts in product.prices.items():
            for currency, amount in amounts.items():
                found.setdefault(f"{price_list}.{currency}", Money(amount, currency))
    return found


def _named(group: Group, sku: str) -> set[str]:
    return {name for product in group.chain(sku) for name in product.channels}


def _above(group: Group, sku: str, reference: Reference) -> list[str]:
    """Its categories, and those above them."""
    codes = group.categories(sku)
    paths = (one.code for code in codes for one in reference.category_path(code))
    return sorted({*codes, *paths})
