"""The projection half of the contract suite: a catalogue of every situation, and what any rendering of it must be."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from daybook.channel.contract import Held, Manifest, Payload
from daybook.channel.testing.changes import check_changes
from daybook.channel.testing.history import History
from daybook.channel.testing.specification import check_pure, render
from daybook.events import (
    AttributeChange,
    AttributeDefined,
    AttributesChanged,
    CategoryDefined,
    FamilyDefined,
    PriceChanged,
    ProductCreated,
    ProductDelisted,
    ProductDiscontinued,
    StockCounted,
    StockReserved,
)
from daybook.events.envelope import REFERENCE_KEY
from daybook.values import Money, exponent

LOCALES = ("nl-NL", "en-US", "de-DE")


def catalogue(manifest: Manifest) -> History:
    """A small catalogue of every situation that a channel meets, in the channel's own currency and price list."""
    name, defaults = manifest.name, manifest.defaults
    price = (defaults.price_list, "19.99" if exponent(defaults.currency) == 2 else "20", defaults.currency)
    stock = {(*defaults.locations, "main")[0]: 5}
    texts = {f"{code}@{at}": f"{code} {at}" for code in ("name", "description") for at in LOCALES}
    complete: dict[str, Any] = {
        "attributes": texts | {"name": "name", "description": "description", "brand": "Acme", "color": "red"},
        "price": price,
        "stock": stock,
        "categories": ("shoes",),
        "media": ("https://example.com/1.jpg", "https://example.com/2.jpg"),
    }
    history = History().happened(
        CategoryDefined(code="all", labels={"nl-NL": "Alles"}),
        CategoryDefined(code="shoes", parent="all", labels={"nl-NL": "Schoenen"}),
        AttributeDefined(code="color", type="text", labels={"nl-NL": "Kleur"}),
        FamilyDefined(code="clothing", attributes=("name", "description", "brand", "color")),
    )
    history.product("SIMPLE-1", gtin="4015211100803", listed=(name,), family="clothing", **complete)
    history.product("SIMPLE-2", gtin="4006381333931", listed=(name,), family="clothing", **complete)
    history.product("MODEL-1", axes=("color",), listed=(name,), family="clothing", **complete | {"stock": {}})
    for sku, colour, gtin in (("VARIANT-1", "blue", "8717418510749"), ("VARIANT-2", "green", "6291041500213")):
        history.product(sku, parent="MODEL-1", gtin=gtin, stock=stock, attributes={"color": colour})
    history.product("NOT-LISTED", gtin="036000291452", **complete)
    history.product("OUT-OF-STOCK", gtin="96385074", listed=(name,), **complete | {"stock": {}})
    history.product("EMPTY", listed=(name,))
    history.product("GONE", gtin="4006381333948", listed=(name,), **complete).happened(ProductDiscontinued())
    return history.product("DELISTED", listed=(name,), **complete).happened(ProductDelisted(name))


def rename(history: History, sku: str) -> History:
    """The history with a new name for the SKU, as a new one."""
    names = [AttributeChange(attribute="name", value="changed", locale=at) for at in (None, *LOCALES)]
    return copy.deepcopy(history).happened(AttributesChanged(tuple(names)), sku=sku)


def reprice(manifest: Manifest, history: History, sku: str) -> History:
    """The history with a new price for the SKU, as a new one."""
    price = PriceChanged(manifest.defaults.price_list, Money(2500, manifest.defaults.currency))
    return copy.deepcopy(history).happened(price, sku=sku)


def recount(manifest: Manifest, history: History, sku: str, pieces: int) -> History:
    """The history with so many pieces of the SKU, as a new one."""
    counted = StockCounted((*manifest.defaults.locations, "main")[0], pieces)
    return copy.deepcopy(history).happened(counted, sku=sku)


def discontinue(history: History, sku: str) -> History:
    """The history with the SKU discontinued, as a new one."""
    return copy.deepcopy(history).happened(ProductDiscontinued(), sku=sku)


def check_projection(manifest: Manifest, history: History) -> dict[tuple[str, str], Payload | Held]:
    """The part of the suite that needs no connector: a sane manifest and pure functions. Returns what is rendered."""
    assert re.fullmatch(r"[a-z][a-z0-9]*", manifest.name), f"{manifest.name!r}: small letters and digits only"
    assert manifest.version >= 1, "versions count from 1"
    assert manifest.title and manifest.facets, "a channel has a title and at least one facet"
    assert len(set(manifest.facets)) == len(manifest.facets), f"a facet is named twice: {manifest.facets}"
    assert manifest.defaults.name == manifest.name, "the defaults are another channel's"
    rendered = check_pure(manifest, history)
    _check_stocks(manifest, history)
    creating = manifest.facets[0]
    for (sku, facet), payload in rendered.items():
        assert facet in manifest.facets, f"{facet} of {sku} is not in the manifest's facets"
        if isinstance(payload, Held):
            assert facet == creating, f"{sku} is held under {facet}, not under {creating}"
            assert [other for other in rendered if other[0] == sku] == [(sku, creating)], f"{sku} is held: one entry"
            assert payload.reasons, f"{sku} is held without a reason"
        else:
            assert (sku, creating) in rendered, f"{sku} has {facet} but not {creating}"
            assert msgspec.json.decode(_hashed(payload)) == payload, f"{facet} of {sku} is not plain JSON"
            assert _hashed(msgspec.json.decode(_hashed(payload))) == _hashed(payload), f"{facet} of {sku}: hash changes"
    assert any(not isinstance(payload, Held) for payload in rendered.values()), "nothing of the catalogue is shown"
    if manifest.connector is not None or manifest.sandbox is not None:
        _check_listed(manifest, history, rendered)
        _check_reserved(manifest, history)
    if manifest.keeps_history:
        assert manifest.connector is None, "a channel shows what is, and keeps no history"
        assert manifest.searched is None or manifest.searched in manifest.facets, f"{manifest.searched} is no facet"
        without = render(manifest, _without_reference(history))
        assert without == rendered, "a projection that keeps history must not look at the reference"
    return rendered


def _check_stocks(manifest: Manifest, history: History) -> None:
    """A stock that is sold out, comes back or grows is rendered alone as it is with all the rest."""
    for sku in {each.sku for each in history.recorded if isinstance(each.event, ProductCreated) and each.sku}:
        changed = history
        for pieces in (0, 3, 5000):
            changed = recount(manifest, changed, sku, pieces)
        check_changes(manifest, changed.recorded, len(history.recorded))


def _check_reserved(manifest: Manifest, history: History) -> None:
    """What orders have reserved is offered no more than what is not there."""
    counted = {each.sku: each.event for each in history.recorded if isinstance(each.event, StockCounted) and each.sku}
    reserved, gone = copy.deepcopy(history), copy.deepcopy(history)
    for sku, event in counted.items():
        reserved.happened(StockReserved(order="1", location=event.location, quantity=event.quantity), sku=sku)
        gone.happened(StockCounted(event.location, 0), sku=sku)
    assert render(manifest, reserved) == render(manifest, gone), "what is reserved for orders is offered: ask `offered`"


def _check_listed(manifest: Manifest, history: History, rendered: Mapping[tuple[str, str], Payload | Held]) -> None:
    """A sales channel shows what is listed on it; another projection may show everything."""
    skus = [each.sku for each in history.recorded if isinstance(each.event, ProductCreated) and each.sku]
    unlisted = {"NOT-LISTED", "GONE", "DELISTED"} & set(skus)
    assert not unlisted & {sku for sku, _ in rendered}, f"what is not listed is shown: {unlisted}"
    delisted = copy.deepcopy(history)
    for sku in skus:
        delisted.happened(ProductDelisted(manifest.name), sku=sku)
    left = render(manifest, delisted)
    assert not left, f"everything is delisted, but this is still shown: {sorted(left)}"


def _without_reference(history: History) -> History:
    bare = History()
    bare.recorded = [each for each in history.recorded if each.key != REFERENCE_KEY]
    return bare


def _hashed(payload: Payload) -> bytes:
    return msgspec.json.encode(payload, order="sorted")
