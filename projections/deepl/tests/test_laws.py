"""Laws over random histories: a source text is paid for once a round, and what was approved stays approved."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.catalogue.reference import EMPTY, fold_reference
from daybook.channel.contract import Payload
from daybook.errors import DaybookError
from daybook.events import AttributeChange, CatalogueEvent, Event, TextDrafted
from daybook.product import decisions as products
from daybook.texts import decisions
from daybook.texts.decisions import DraftName
from daybook.texts.group import GroupTexts, fold_texts
from daybook.texts.standing import standings
from daybook_projections.deepl import mapping
from projections.deepl.tests.texts import DE, NL, catalogue, configured, drafted

DRAFT = DraftName(engine="deepl", sku="A", attribute="name", locale=DE)
WHERE = ("A", f"name@{DE}")
SALES = ("list", "delist", "discontinue", "reinstate")
DRAFTS = ("approve", "reject", "retry")
SOURCES = ("Rugzak", "Tas", "Koffer")
HAND = ("write it", "clear it")


class Desk:
    """A product, the people at it, and a worker that does what differs from what it did last, as the delivery does."""

    def __init__(self) -> None:
        self.history = catalogue()
        self.state: GroupTexts | None = None
        self.reference = EMPTY
        self.done: Payload | None = None
        self.made: list[TextDrafted] = []
        self._folded = 0
        self._fold()

    def does(self, step: str) -> None:
        """What a person does; what is refused changes nothing."""
        try:
            events = self._decided(step)
        except DaybookError:
            return
        self.hears(*events)

    def hears(self, *events: Event) -> None:
        """What the log says next."""
        self.history.happened(*events)
        self._fold()

    def works(self) -> None:
        """Does what is due, and is told of it by the log, until nothing is."""
        while (due := self._due()) != self.done:
            self.done = due
            if due is not None and "text" in due:
                made = drafted(f"Entwurf {len(self.made)}", due["text"], round=due.get("round", 0), **_said(due))
                self.made.append(made)
                self.hears(made)

    def standing(self) -> str | None:
        """Where the text stands, while it is wanted."""
        engine = self.reference.channels["deepl"]
        return next((one.state for _, one in standings(self._known(), engine, self.reference)), None)

    def value(self) -> object:
        """The German name."""
        return self._known().group.products["A"].attributes.get(WHERE[1])

    def _known(self) -> GroupTexts:
        assert self.state is not None
        return self.state

    def _due(self) -> Any:
        return mapping.render(self._known(), self.reference).get(WHERE)

    def _fold(self) -> None:
        for one in self.history.recorded[self._folded :]:
            if isinstance(one.event, CatalogueEvent):
                self.reference = fold_reference(self.reference, one.event)
            else:
                self.state = fold_texts(self.state, one)
        self._folded = len(self.history.recorded)

    def _decided(self, step: str) -> list[Event]:
        product, texts = self._known().group.products["A"], self._known().texts_of("A")
        match step:
            case "list":
                return list(products.list_on(product, "webshop"))
            case "delist":
                return list(products.delist(product, "webshop"))
            case "discontinue":
                return list(products.discontinue(product))
            case "reinstate":
                return list(products.reinstate(product))
            case "approve":
                approved, change = decisions.approve(product, texts, DRAFT)
                return [*approved, *products.set_attributes(product, [change])]
            case "reject":
                return list(decisions.reject(product, texts, DRAFT))
            case "retry":
                return list(decisions.retry(product, texts, DRAFT))
            case "write it":
                return list(products.set_attributes(product, [_name("Mein Rucksack", DE)]))
            case "clear it":
                return list(products.set_attributes(product, [_name(None, DE)]))
        return list(products.set_attributes(product, [_name(step, NL)]))


def _name(value: str | None, locale: str) -> AttributeChange:
    return AttributeChange(attribute="name", value=value, locale=locale)


def _said(work: Payload) -> dict[str, Any]:
    return {"settings": work["settings"]}


def histories(*steps: str) -> st.SearchStrategy[list[tuple[str, bool]]]:
    """Steps, and whether the worker comes to its work behind each."""
    return st.lists(st.tuples(st.sampled_from(steps), st.booleans()), max_size=30)


def lived(steps: list[tuple[str, bool]]) -> Desk:
    desk = Desk()
    for step, worked in steps:
        desk.does(step)
        if worked:
            desk.works()
    desk.works()
    return desk


@given(histories(*SALES, *DRAFTS, *SOURCES, *HAND))
@settings(max_examples=300, deadline=None)
def test_each_source_is_drafted_once_a_round_whatever_happens_to_the_product(steps: list[tuple[str, bool]]) -> None:
    asked = sum(step == "retry" for step, _ in steps)
    made = lived(steps).made
    assert max(Counter((one.source, one.round) for one in made).values(), default=0) <= 1
    assert len(made) <= len(SOURCES) + asked, "nobody asked for so many"


@given(histories(*SALES, *DRAFTS), histories(*SALES, *DRAFTS))
@settings(max_examples=300, deadline=None)
def test_what_was_approved_stays_approved(before: list[tuple[str, bool]], after: list[tuple[str, bool]]) -> None:
    desk = lived([*before, ("reinstate", True), ("list", True), ("approve", True)])
    value, paid = desk.value(), len(desk.made)
    assert desk.standing() == "approved" and value is not None
    for step, worked in after:
        desk.does(step)
        if worked:
            desk.works()
        assert desk.standing() in ("approved", None) and desk.value() == value, step
    assert len(desk.made) == paid


@pytest.mark.parametrize("off_and_on", [("delist", "list"), ("discontinue", "reinstate")])
@pytest.mark.parametrize("said", [(), ("approve",), ("reject",)])
def test_a_product_that_goes_and_comes_back_costs_nothing(said: tuple[str, ...], off_and_on: tuple[str, ...]) -> None:
    desk = lived([(step, True) for step in ("list", *said)])
    before = desk.standing()
    for step in off_and_on:
        desk.does(step)
        desk.works()
    assert len(desk.made) == 1 and desk.standing() == before


def test_other_settings_are_other_work_for_what_waits_only() -> None:
    for said, drafts in (((), 2), (("approve",), 1), (("reject",), 1)):
        desk = lived([(step, True) for step in ("list", *said)])
        desk.hears(configured(formality="prefer_more"))
        desk.works()
        assert len(desk.made) == drafts, said


def test_a_draft_that_was_on_its_way_does_not_open_what_was_approved_meanwhile() -> None:
    desk = lived([("list", True), ("retry", False), ("approve", False)])
    desk.hears(drafted("Ranzen", round=1))
    desk.works()
    assert desk.standing() == "approved" and len(desk.made) == 1
