"""A product's fields are told wherever products are: one that a new event brings can't be forgotten in an export.

Each field is taken away from a product that has them all. Whoever tells products must tell something else then.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from daybook.catalogue.group import Group
from daybook.catalogue.reference import EMPTY
from daybook.channel.testing import History
from daybook.events import MediaAdded
from daybook.exporting.catalogue import descriptions
from daybook.product.state import Product
from daybook.queries import fields
from daybook.queries.groups import GroupAt
from daybook.queries.moment import Moment
from daybook.queries.product import view
from daybook_projections.timeline.mapping import render

MODEL = Product(sku="M", key="M", kind="model", axes=("color",))
FULL = Product(
    sku="A",
    key="M",
    kind="variant",
    family="cups",
    parent="M",
    axes=("size",),
    gtin="1",
    gtin_problem="too short",
    attributes={"color": "red"},
    prices={"default": {"EUR": 995}},
    categories=("kitchen",),
    media={"m1": MediaAdded(media_id="m1", url="a.jpg")},
    channels={"webshop": True},
    discontinued=True,
)
CREATED = History().product("A").recorded[0]
TELLERS: dict[str, Callable[[Group], Any]] = {
    "history": lambda group: fields.own(group, "A"),
    "product show": lambda group: view(GroupAt(group, [CREATED]), EMPTY, "A", Moment(1)),
    "export": lambda group: list(descriptions(group)),
    "timeline": lambda group: render(group, EMPTY),
}
IN_THE_FILE = {"gtin_problem": "is found again from the GTIN", "key": "is the model's SKU, found again from the parent"}
"""Fields that are no part of a description, as an import makes them anew."""
UNTOLD = {
    "history": {"sku": "it is asked for", "key": "it never changes"},
    "product show": {"key": "it is the group's own here"},
    "export": IN_THE_FILE,
    "timeline": IN_THE_FILE,
}
EMPTY_VALUES: dict[str, Any] = {"sku": "B", "key": "B", "kind": "product"}


def without(field: msgspec.structs.FieldInfo) -> Product:
    default = field.default if field.default is not msgspec.NODEFAULT else None
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    return msgspec.structs.replace(FULL, **{field.name: EMPTY_VALUES.get(field.name, default)})


def group(product: Product) -> Group:
    return Group("M", {"M": MODEL, "A": product}, {})


def test_the_product_has_every_field() -> None:
    for field in msgspec.structs.fields(Product):
        assert without(field) != FULL, f"give {field.name} a value here"


@pytest.mark.parametrize("teller", TELLERS)
@pytest.mark.parametrize("field", msgspec.structs.fields(Product), ids=lambda field: field.name)
def test_a_field_is_told_by_whoever_tells_products(teller: str, field: msgspec.structs.FieldInfo) -> None:
    differs = TELLERS[teller](group(without(field))) != TELLERS[teller](group(FULL))

    assert differs != (field.name in UNTOLD[teller])
