"""What a product lacks for a channel, and where its texts stand."""

from typing import Any

from daybook.channel.testing import History
from daybook.channel.testing.specification import check_pure
from daybook.events import (
    AttributeChange,
    AttributeDefined,
    AttributesChanged,
    ChannelConfigured,
    ChannelRemoved,
    FamilyDefined,
    GtinAssigned,
    MediaAdded,
    PriceChanged,
    ProductListed,
    TextApproved,
    TextDrafted,
    TextRejected,
    TextRetried,
)
from daybook.texts.state import text_hash
from daybook.values import Money
from daybook_projections.completeness import manifest

DEFINED = (
    AttributeDefined(code="name", type="text", localizable=True),
    AttributeDefined(code="brand", type="text"),
    FamilyDefined(code="bags", attributes=("name", "brand"), required={"shops": ("name", "brand")}),
    ChannelConfigured(name="webshop", scope="shops", locales=("de-DE", "nl-NL")),
    ChannelConfigured(name="deepl", locales=("nl-NL",)),
)

PICTURE = (
    'echo \'{"type":"describe_product","sku":"A","media":[{"media_id":"1","url":"ADDRESS"}]}\' | daybook import jsonl -'
)


def wrote(value: str | None, locale: str = "nl-NL") -> AttributesChanged:
    return AttributesChanged((AttributeChange(attribute="name", value=value, locale=locale),))


def about(kind: Any, **more: object) -> Any:
    return kind(engine="deepl", sku="A", attribute="name", locale="de-DE", source=text_hash("Rugzak"), **more)


def bag() -> History:
    return History().happened(*DEFINED).product("A", family="bags", listed=("webshop",))


def missing(history: History) -> dict[str, str]:
    found: Any = check_pure(manifest, history)["A", "webshop"]
    assert found["needed"] == 4
    return {one["field"]: one["next_step"] for one in found["missing"]}


def text(history: History) -> tuple[str, str | None]:
    found: Any = check_pure(manifest, history)["A", "name@de-DE"]
    return found["state"], found["draft"]


def test_a_new_product_lacks_all_that_its_family_and_the_channel_need() -> None:
    assert missing(bag()) == {
        "name@de-DE": "daybook product set A name VALUE --locale de-DE",
        "brand": "daybook product set A brand VALUE",
        "price": "daybook product price A AMOUNT EUR --list default",
        "picture": PICTURE,
    }


def test_a_product_becomes_complete_by_what_is_given_and_approved() -> None:
    history = bag().happened(PriceChanged("default", Money(100, "EUR")), MediaAdded(media_id="1", url="/1.jpg"))
    history.happened(AttributesChanged((AttributeChange(attribute="brand", value="Acme"),)), wrote("Rugzak"))
    assert missing(history) == {"name@de-DE": "daybook channel show deepl"}
    history.happened(about(TextDrafted, source_locale="nl-NL", draft="Rucksack", characters=6))
    assert missing(history) == {"name@de-DE": "daybook text list --sku A"}
    history.happened(about(TextApproved, text="Rucksack"), wrote("Rucksack", "de-DE"))
    assert missing(history) == {}


def test_a_channel_that_nobody_configured_is_said_to_be_so_and_one_that_went_is_not() -> None:
    history = bag().happened(ProductListed("bol"))
    found: Any = check_pure(manifest, history)["A", "bol"]
    (lack,) = found["missing"]
    assert (lack["field"], found["needed"]) == ("settings", 1) and "bol is not configured" in lack["reason"]
    assert lack["next_step"] == (
        """echo '{"type":"configure_channel","channel":{"name":"bol"}}' | daybook import jsonl -"""
    )
    history.happened(ChannelRemoved(name="bol"))
    assert ("A", "bol") not in check_pure(manifest, history)


def test_a_wrong_gtin_is_told_and_settings_say_what_a_channel_needs() -> None:
    needs_gtin = ChannelConfigured(name="webshop", extra={"requires": ["gtin"]})
    history = bag().happened(needs_gtin)
    found: Any = check_pure(manifest, history)["A", "webshop"]
    assert [one["field"] for one in found["missing"]] == ["gtin"]
    history.happened(GtinAssigned("123", "too short"))
    found = check_pure(manifest, history)["A", "webshop"]
    assert [one["reason"] for one in found["missing"]] == ["its GTIN is wrong: too short"]


def test_a_text_goes_from_wanted_to_draft_to_approved_to_stale() -> None:
    history = bag().happened(wrote("Rugzak"))
    assert text(history) == ("wanted", None)
    history.happened(about(TextDrafted, source_locale="nl-NL", draft="Rucksack", characters=6))
    assert text(history) == ("draft", "Rucksack")
    history.happened(wrote("Tas"))
    assert text(history) == ("stale", "Rucksack")
    history.happened(wrote("Rugzak"))
    assert text(history) == ("draft", "Rucksack")
    history.happened(about(TextRejected))
    assert text(history) == ("rejected", "Rucksack")
    history.happened(about(TextRetried))
    assert text(history) == ("wanted", None)
    history.happened(about(TextDrafted, source_locale="nl-NL", draft="Ranzen", characters=6, round=1))
    history.happened(about(TextApproved, text="Ranzen"), wrote("Ranzen", "de-DE"))
    assert text(history) == ("approved", "Ranzen")
    history.happened(wrote("Tas"))
    assert text(history) == ("stale", "Ranzen")
    history.happened(wrote("Tasche", "de-DE"))
    assert ("A", "name@de-DE") not in check_pure(manifest, history)
