"""The README's channel is a channel: its `render` is run as it is printed."""

from typing import Any

from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Manifest, Rendered
from daybook.channel.testing import History, given
from daybook.events import ChannelConfigured
from tests.docs.snippets import blocks


def printed() -> Manifest:
    """The channel that the README prints."""
    (code,) = blocks("README.md", "python")
    names: dict[str, Any] = {"Group": Group, "Reference": Reference, "Rendered": Rendered, "Held": Held}
    exec(compile(code, "README.md", "exec"), names)
    return Manifest(
        name="bazaar",
        title="Bazaar",
        version=1,
        state=Group,
        fold=fold_group,
        render=names["render"],
        facets=("offer", "stock"),
        defaults=ChannelConfigured(name="bazaar", locales=("nl-NL",), currency="EUR", price_list="default"),
    )


def history(**given: Any) -> History:
    return History().happened(printed().defaults).product("S1", listed=("bazaar",), **given)


def test_a_product_with_a_name_and_a_price_is_offered_with_its_pieces() -> None:
    told = history(attributes={"name@nl-NL": "Kist"}, price=("default", "19.99", "EUR"), stock={"main": 3})
    shown: Rendered = {("S1", "offer"): {"title": "Kist", "cents": 1999}, ("S1", "stock"): {"pieces": 3}}
    given(printed(), told).then(shown)


def test_a_product_without_a_price_is_held() -> None:
    given(printed(), history(attributes={"name@nl-NL": "Kist"})).then(
        {("S1", "offer"): Held(("it needs a name and a price",))}
    )
