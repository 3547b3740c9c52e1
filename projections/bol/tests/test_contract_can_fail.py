"""The contract suite notices a broken channel: bol's own parts, each broken in one way."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Confirmed, Held, Manifest, Outcome, Payload, Push, Rendered
from daybook.channel.testing import History, check_channel, check_pure, given
from daybook.events import Recorded
from daybook_projections.bol import manifest
from daybook_projections.bol.connector import BolConnector

Change = Callable[[Group, dict[tuple[str, str], Payload | Held]], Any]


def spoilt(change: Change) -> Manifest:
    """bol without its connector, and with a rendering that `change` spoils."""

    def render(group: Group, reference: Reference) -> Rendered:
        rendered = dict(manifest.render(group, reference))
        change(group, rendered)
        return rendered

    return replace(manifest, render=render, connector=None)


def first(rendered: Mapping[tuple[str, str], Payload | Held], facet: str = "offer") -> Payload:
    found = next((p for (_, name), p in rendered.items() if name == facet and isinstance(p, dict)), None)
    return {} if found is None else found


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("must not use random.random", lambda _, r: first(r).update(lucky=random.random())),
        ("must not use builtins.open", lambda _, r: first(r).update(file=open(__file__))),  # noqa: SIM115, PTH123
        ("render changed its input", lambda group, _: group.stock.clear()),
        ("not in the manifest's facets", lambda _, r: r and r.update({(next(iter(r))[0], "cost"): {}})),
        ("what is not listed is shown", lambda group, r: r.update({(sku, "offer"): {} for sku in group.products})),
        ("is not plain JSON", lambda _, r: first(r).update(pair=(1, 2))),
        ("is held: one entry", lambda _, r: r and r.update({(next(iter(r))[0], "offer"): Held(("no",))})),
        ("is held without a reason", lambda _, r: r.update({("EMPTY", "offer"): Held(())} if len(r) == 1 else {})),
    ],
)
def test_a_spoilt_rendering_is_noticed(message: str, change: Change) -> None:
    check_channel(spoilt(lambda _group, _rendered: None))
    with pytest.raises(AssertionError, match=message):
        check_channel(spoilt(change))


def test_a_state_that_does_not_survive_storing_is_noticed() -> None:
    def fold(group: Group | None, recorded: Recorded) -> Group | None:
        after = fold_group(group, recorded)
        return after and replace(after, key=("a", "tuple"))

    with pytest.raises((AssertionError, TypeError, ValueError)):
        check_pure(replace(manifest, fold=fold), History().product("S1"))


@pytest.mark.parametrize(
    ("message", "neglected"),
    [
        ("still waiting after", lambda push: push.facet == "offer"),
        ("removed but still live", lambda push: push.payload is None),
        ("under Faults", lambda push: push.facet == "price"),
        ("Rejected", None),
    ],
)
def test_a_sloppy_connector_is_noticed(message: str, neglected: Callable[[Push], bool] | None) -> None:
    class Sloppy(BolConnector):
        async def push(self, push: Push) -> Outcome:
            if neglected is None:
                return await super().push(replace(push, attempt=1))
            return Confirmed(remote_id=push.remote_id) if neglected(push) else await super().push(push)

    def connector(settings: Mapping[str, str]) -> BolConnector:
        return Sloppy(settings["url"], settings["url"], settings["client_id"], settings["client_secret"])

    with pytest.raises(AssertionError, match=message):
        check_channel(replace(manifest, connector=connector))


def test_a_specification_that_is_not_met_shows_the_difference() -> None:
    history = History().product("S1", listed=("bol",))
    with pytest.raises(AssertionError, match="another reason"):
        given(manifest, history).then({("S1", "offer"): Held(("another reason",))})
