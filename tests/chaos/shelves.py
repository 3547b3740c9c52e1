"""Checks of the marketplaces: each shows exactly what was acknowledged last, and is left alone once it does.

Their sandboxes carry out what arrives in the order in which it arrives: an older state that came last is seen.
"""

import time
from collections.abc import Mapping
from typing import Any

from tests.chaos.truth import Truth, state_of
from tests.chaos.world import World

SHOWS_NO_NUMBER = ("google",)
"""Marketplaces that are told whether there is stock, not how much."""
SILENT_SECONDS = 4.0


def expected(truth: Truth, bulk: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """SKU -> what must be true of it."""
    states = {sku: state_of(truth, sku) for sku in truth.skus()} | {sku: dict(state) for sku, state in bulk.items()}
    return {sku: state for sku, state in states.items() if not state.get("model")}


def wrong(world: World, states: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Where a marketplace or the book itself shows something else."""
    found: list[str] = []
    for name in world.channels:
        try:
            shown = world.shops.box(name).shown()
        except AssertionError as error:
            found.append(f"{name}: {error}")
            continue
        on = {sku for sku, state in states.items() if state.get(f"channel {name}")}
        known = {sku for sku in shown if sku in states}
        if on - known:
            found.append(f"{name} does not show {sorted(on - known)}")
        if known - on:
            found.append(f"{name} still shows {sorted(known - on)}")
        for sku in sorted(on & known):
            found += [f"{name}, {sku}: {what}" for what in _differing(name, states[sku], shown[sku])]
    return found


def _differing(name: str, state: Mapping[str, Any], item: Mapping[str, Any]) -> list[str]:
    stock = state["stock"]
    wanted = {"price": state["price"], "stock": stock}
    if not state.get("variant"):  # shown under its model's name, as each marketplace has it
        wanted["title"] = state["title"]
    if name in SHOWS_NO_NUMBER:
        wanted["stock"] = None if stock else 0
    return [f"{field} is {item.get(field)!r}, must be {value!r}" for field, value in wanted.items()
            if item.get(field) != value]  # fmt: skip


def wrong_in_the_book(world: World, states: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Where a question about a product is answered otherwise."""
    found: list[str] = []
    for sku, state in states.items():
        view = world.api.get(f"/api/v1/products/{sku}").body
        shown = {
            "price": next((one["amount"] for one in view["prices"] if one["currency"] == "EUR"), None),
            "title": next((one["value"] for one in view["values"] if one["attribute"] == "name"), None),
            "stock": view["stock_total"],
        }
        found += [f"{sku}: the book says {field} {value!r}, must be {state[field]!r}"
                  for field, value in shown.items() if field in state and value != state[field]]  # fmt: skip
    return found


def sent_once_level(world: World) -> list[str]:
    """Requests that marketplaces got although everything is level."""

    def marks() -> dict[str, float]:
        boxes = world.shops.all()
        return {name: box.received[-1].at if box.received else 0.0 for name, box in boxes.items()}  # type: ignore[attr-defined]

    before = marks()
    time.sleep(SILENT_SECONDS)
    found = []
    for name, at in marks().items():
        if at != before[name]:
            late = [f"{one.method} {one.path}" for one in world.shops.box(name).received if one.at > before[name]]
            found.append(f"{name} was level and was sent {late[:10]}")
    return found
