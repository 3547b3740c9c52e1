"""Which texts are to be translated, and that nothing is twice."""

import pytest

from daybook.channel.contract import Held
from daybook.channel.testing import History, check_work, given
from daybook.channel.testing.specification import check_pure
from daybook.events import AttributeChange, AttributesChanged, FamilyDefined, ProductDelisted, ProductListed
from daybook_projections.deepl import manifest
from projections.deepl.tests.texts import (
    ATTRIBUTES,
    DE,
    FR,
    GERMAN,
    NL,
    approved,
    catalogue,
    configured,
    drafted,
    rejected,
    retried,
    work,
)

NAME = ("A", f"name@{DE}")
KNOWN = {"known": work()["source"]}


def wrote(value: str | None, locale: str = NL, attribute: str = "name") -> AttributesChanged:
    return AttributesChanged((AttributeChange(attribute=attribute, value=value, locale=locale),))


def test_a_text_is_wanted_in_the_main_language_of_each_channel_on_which_the_product_is_sold() -> None:
    history = catalogue()
    given(manifest, history).then({NAME: work()})
    history.happened(ProductListed("google"))
    given(manifest, history).then({NAME: work(), ("A", f"name@{FR}"): work(to="FR")})
    history.happened(ProductDelisted("webshop"), ProductDelisted("google"))
    given(manifest, history).then({})


def test_nothing_is_translated_before_it_is_said_in_which_language_people_write() -> None:
    history = History().happened(*ATTRIBUTES, GERMAN)
    history.product("A", attributes={f"name@{NL}": "Rugzak"}, listed=("webshop",))
    given(manifest, history).then({})


def test_what_a_person_wrote_is_never_wanted() -> None:
    history = catalogue().happened(wrote("Tasche", DE))
    given(manifest, history).then({})
    history.happened(wrote("Rugzak groot"))
    given(manifest, history).then({})


def test_a_family_says_which_texts_a_channel_needs_and_the_settings_may_name_others() -> None:
    family = FamilyDefined(code="bags", attributes=("name", "description"), required={"": ("name",)})
    texts = {f"name@{NL}": "Rugzak", f"description@{NL}": "Sterk."}
    history = History().happened(*ATTRIBUTES, GERMAN, configured(), family)
    history.product("A", family="bags", attributes=texts, listed=("webshop",))
    given(manifest, history).then({NAME: work()})
    history.happened(configured(attributes=["description"]))
    given(manifest, history).then({("A", f"description@{DE}"): work("Sterk.")})


def test_a_draft_that_waits_or_was_approved_is_not_made_again() -> None:
    history = catalogue().happened(drafted("Rucksack"))
    given(manifest, history).then({NAME: KNOWN})
    history.happened(approved("Rucksack"), wrote("Rucksack", DE))
    given(manifest, history).then({NAME: KNOWN})
    history.happened(configured(formality="more"))
    given(manifest, history).then({NAME: KNOWN})


def test_a_changed_source_is_new_work_and_one_that_returns_is_known() -> None:
    history = catalogue().happened(drafted("Rucksack"), wrote("Tas"))
    given(manifest, history).then({NAME: work("Tas")})
    history.happened(drafted("Tasche", "Tas"), wrote("Rugzak"))
    given(manifest, history).then({NAME: KNOWN})


def test_a_person_s_edit_of_a_machine_s_text_ends_the_machine_s_part() -> None:
    history = catalogue().happened(drafted("Rucksack"), approved("Rucksack"), wrote("Rucksack", DE))
    history.happened(wrote("Der Rucksack", DE), wrote("Tas"))
    given(manifest, history).then({})


def test_a_rejected_draft_is_made_again_only_when_somebody_asks() -> None:
    history = catalogue().happened(drafted("Rucksack"), rejected())
    given(manifest, history).then({NAME: KNOWN})
    history.happened(retried())
    given(manifest, history).then({NAME: work(round=1)})
    history.happened(drafted("Ranzen", round=1))
    given(manifest, history).then({NAME: KNOWN})
    history.happened(wrote("Tas"))
    given(manifest, history).then({NAME: work("Tas")})


def test_settings_are_part_of_the_work() -> None:
    said = {"formality": "prefer_more", "glossary": "g-1", "keep": ["Rugzak"]}
    history = catalogue(formality="prefer_more", glossaries={f"{NL}>{DE}": "g-1"}, keep=["Rugzak", "Acme"])
    given(manifest, history).then({NAME: work(settings=said)})


@pytest.mark.parametrize(("extra", "text"), [({"formality": "loud"}, "Rugzak"), ({}, "x" * 50_000)])
def test_what_can_t_be_translated_is_held_with_the_reason(extra: dict[str, object], text: str) -> None:
    history = catalogue(**extra).happened(wrote(text))
    (held,) = check_pure(manifest, history).values()
    assert isinstance(held, Held) and len(held.reasons) == 1


def test_deepl_keeps_the_contract_of_every_work() -> None:
    history = catalogue().happened(wrote("Sterk. {0}", attribute="description"))
    check_work(manifest, history, {})
