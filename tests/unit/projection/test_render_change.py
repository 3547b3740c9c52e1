"""One change in a group of many variants costs what it changed; the listing is that of rendering all of it."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from daybook.catalogue.group import Group
from daybook.catalogue.reference import EMPTY, Reference
from daybook.channel.contract import Payload, Rendered, SkuChange
from daybook.channel.testing import History, given
from daybook.events import PriceChanged, Recorded, StockCounted
from daybook.projection import folding
from daybook.projection.folding import Batch, Facets, Folder
from daybook.values import Money
from tests.fixtures import channels
from tests.fixtures.channels import toy

VARIANTS = [f"M-{n}" for n in range(40)]


def group_of_many() -> History:
    history = History().product("M", kind="model", axes=("size",), attributes={"name": "it"}, listed=("toy",))
    for sku in VARIANTS:
        history.product(sku, parent="M", stock={"main": 5}, price=("default", "10.00", "EUR"))
    return history


class Counted:
    """The toy channel, and how often it was rendered whole."""

    def __init__(self) -> None:
        self.rendered = 0
        self.folder = Folder(replace(toy(), render=self._render), EMPTY)

    def _render(self, group: Group, reference: Reference) -> Rendered:
        self.rendered += 1
        return channels.render(group, reference)

    def after(self, events: list[Recorded], before: Batch) -> Batch:
        """What these events change of what stands after the batch."""
        listed: Facets = {where: entry.hash for where, entry in before.put.items()}
        return self.folder.fold(events, before.states, {"M": listed}, each_command=True)


def test_a_stock_change_renders_that_stock_and_nothing_else() -> None:
    toys = Counted()
    history = group_of_many()
    known = len(history.recorded)
    whole = toys.folder.fold(history.recorded, {}, {}, each_command=False)
    assert toys.rendered == 1

    history.happened(StockCounted("main", 2), sku="M-7").happened(StockCounted("main", 0), sku="M-9")
    batch = toys.after(history.recorded[known:], whole)

    assert toys.rendered == 1
    shown = {where: entry.payload for where, entry in batch.put.items()}
    assert shown == {("M-7", "stock"): b'{"stock":2}', ("M-9", "stock"): b'{"stock":0}'}
    assert "M" in batch.states and "M" not in batch.uses, "what it looks up is known from before"


def test_what_is_more_than_stock_is_rendered_whole() -> None:
    toys = Counted()
    history = group_of_many()
    known = len(history.recorded)
    whole = toys.folder.fold(history.recorded, {}, {}, each_command=False)

    history.happened(PriceChanged("default", Money(900, "EUR")), sku="M-7")
    batch = toys.after(history.recorded[known:], whole)

    assert toys.rendered == 2
    assert [*batch.put] == [("M-7", "price")]


def test_a_large_group_that_changed_often_in_one_batch_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    toys = Counted()
    history = group_of_many()
    known = len(history.recorded)
    whole = toys.folder.fold(history.recorded, {}, {}, each_command=False)
    for number, sku in enumerate(VARIANTS):
        history.happened(PriceChanged("default", Money(900 + number, "EUR")), sku=sku)

    monkeypatch.setattr(folding, "RENDERED_FACETS_MAX", len(VARIANTS) * len(whole.put) - 1)
    batch = toys.after(history.recorded[known:], whole)

    assert toys.rendered == 2
    assert len(batch.put) == len(VARIANTS)


def nothing(_: SkuChange) -> Mapping[tuple[str, str], Payload]:
    return {}


def test_the_specification_notices_a_change_that_is_rendered_otherwise_than_the_whole() -> None:
    history = History().product("A", attributes={"name": "it"}, stock={"main": 5}, listed=("toy",))
    expected: Rendered = {("A", "offer"): {"name": "it", "label": ""}, ("A", "stock"): {"stock": 5}}
    given(toy(), history).then(expected)
    with pytest.raises(AssertionError, match="render_change and render differ after"):
        given(replace(toy(), render_change=nothing), history).then(expected)
