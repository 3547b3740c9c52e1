"""What the book says is what buyers read and choose, whatever the shop does to texts on the way."""

import html
from collections.abc import Sequence
from typing import Any

import pytest

from daybook.channel.contract import Payload, Rejected
from daybook.channel.testing import History, render
from daybook.events import AttributeDefined
from daybook_projections.webshop import manifest
from daybook_projections.webshop.sandbox import rules
from daybook_projections.webshop.tests.desk import MEDIUM, SHIRT, Desk, at_the_desk, changed

HOSTILE = (
    "C:\\temp",
    "\\\\server\\share",
    "3 < 4 > 2",
    "Fits <M and >S.",
    "R&D",
    "&copy; is a sign",
    "100%25",
    "I <3 you",
)


def listings(options: Sequence[str], text: str = "Shirt", axis: str = "Size") -> dict[str, dict[str, Payload]]:
    """A model called by the text, with a variant for each option that is described by it, as they are rendered."""
    history = History().happened(AttributeDefined(code="size", type="text", labels={"en-US": axis}))
    history.product(
        "SHIRT",
        axes=("size",),
        attributes={"name": text, "description": text, "short_description": text},
        price=("default", "25.00", "EUR"),
        listed=("webshop",),
    )
    for number, option in enumerate(options):
        own = {"size": option, "description": f"{text} as a variant"}
        history.product(f"SHIRT-{number}", parent="SHIRT", attributes=own, stock={"main": 2})
    found: dict[str, dict[str, Payload]] = {}
    for (sku, facet), payload in render(manifest, history).items():
        assert isinstance(payload, dict), payload
        found.setdefault(sku, {})[facet] = payload
    return found


async def bring(desk: Desk, everything: dict[str, dict[str, Payload]]) -> list[dict[str, Any]]:
    """What the shop keeps, the model first; what is read back is what was brought, and each variant can be chosen."""
    for listing in everything.values():
        assert (await desk.push(listing)).remote_id, listing
    for listing in everything.values():
        shown = await desk.read(listing)
        assert {facet: payload for facet, payload in shown.items() if payload is not None} == listing
    shop = desk.shop.shop
    records = [shop.records[int(desk.ids[sku].rpartition("/")[2])] for sku in everything]
    assert all(shop.choosable(each) for each in records[1:])
    return records


@pytest.mark.parametrize(
    "options",
    [
        ("100%ecological", "100% ecological, dyed", "50%", "%41", "A", "%%4141", "100%25"),
        ("<M", "a < b", "a<b>c", "<b>x</b>", "3 < 4 > 2", "&lt;M>"),
        ("C:\\temp", "\\", "\\\\server\\share", "a\\'b", "tail\\"),
        ("R&D", "A &amp; B", "&copy;", "A &amp;amp; C", "a|b", "a|c", "  two  spaces ", "it's", '5"', "0", "é", "日本"),
    ],
    ids=["percent", "less than", "backslash", "other signs"],
)
def test_every_option_can_be_chosen_and_by_its_own_choice_alone(options: Sequence[str]) -> None:
    async def scenario(desk: Desk) -> None:
        model, *variants = await bring(desk, listings(options))
        (axis,) = rules.axes_of(model).values()
        chosen = [each["chosen"]["size"] for each in variants]
        assert sorted(chosen) == sorted(axis["options"])
        assert len(set(chosen)) == len(options), "no two variants share a choice"

    at_the_desk(scenario)


@pytest.mark.parametrize(
    "axis", ["Size <cm>", "100%41", "A\\B", "R&D", "0", "-", "日本", "&lt;x>", "a|b", "x" * 250, "ﬁt"]
)
def test_variants_can_be_chosen_by_an_attribute_of_any_name(axis: str) -> None:
    async def scenario(desk: Desk) -> None:
        await bring(desk, listings(["M", "L"], axis=axis))

    at_the_desk(scenario)


@pytest.mark.parametrize("text", HOSTILE)
def test_names_and_descriptions_are_read_in_the_shop_as_they_stand_in_the_book(text: str) -> None:
    async def scenario(desk: Desk) -> None:
        model, variant = await bring(desk, listings(["M"], text))
        read = [html.unescape(model[field]) for field in ("name", "description", "short_description")]
        entity = html.unescape(text)  # a description may be HTML, in which `&copy;` is a sign
        assert read == [text, entity, entity]
        assert html.unescape(variant["description"]) == f"{entity} as a variant"

    at_the_desk(scenario)


def test_a_product_called_zero_is_not_called_product() -> None:
    async def scenario(desk: Desk) -> None:
        model, _ = await bring(desk, listings(["M"], "0"))
        assert html.unescape(model["name"]) == "0"

    at_the_desk(scenario)


def test_markup_of_a_description_stays_markup() -> None:
    async def scenario(desk: Desk) -> None:
        model, _ = await bring(desk, listings(["M"], "<p>Warm &amp; <b>soft</b>, < 2 kg</p>"))
        assert model["description"] == "<p>Warm &amp; <b>soft</b>, &lt; 2 kg</p>"

    at_the_desk(scenario)


def test_an_option_that_the_shop_does_not_keep_is_rejected_with_its_reason_and_not_sold_for_every_choice() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(changed(SHIRT, "product", attributes=[{"name": "Size", "variation": True, "options": ["%41"]}]))
        broken = changed(MEDIUM, "product", attributes=[{"name": "Size", "option": "%41"}])
        for attempt in (1, 2):
            outcome = await desk.push(broken, attempt=attempt)
            assert isinstance(outcome, Rejected)
            (reason,) = outcome.reasons
            assert (reason.code, reason.field) == ("axis_not_kept", "attributes")
            assert "Size of SHIRT-M" in reason.message
            assert not desk.shop.shown()["SHIRT-M"]["live"]

    at_the_desk(scenario)
