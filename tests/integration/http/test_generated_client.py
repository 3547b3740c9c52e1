"""A client that a foreign generator makes of the description reads every answer as its type, errors as well."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from daybook import limits
from tests.fixtures.owner import OWNER_KEY
from tests.fixtures.served import served

PACKAGE = "generated_daybook_client"


class Generated:
    """The generated client of one server. A status that the description leaves out raises."""

    def __init__(self, port: int, folder: Path) -> None:
        document = folder / "openapi.json"
        document.write_bytes(httpx.get(f"http://127.0.0.1:{port}/schema/openapi.json").content)
        config = Config.from_sources(
            ConfigFile(post_hooks=[]), MetaType.NONE, document, "utf-8", overwrite=True, output_path=folder / PACKAGE
        )
        self.complaints = generate(config=config)
        self.client = self.module("client").AuthenticatedClient(
            base_url=f"http://127.0.0.1:{port}",
            token=OWNER_KEY,
            raise_on_unexpected_status=True,
            timeout=httpx.Timeout(20),
        )

    def module(self, name: str) -> ModuleType:
        return import_module(f"{PACKAGE}.{name}")

    def model(self, name: str, **members: Any) -> Any:
        return getattr(self.module("models"), name).from_dict(members)

    def call(self, operation: str, *path: Any, **given: Any) -> Any:
        """The whole answer of `tag.operation`."""
        return self.module(f"api.{operation}").sync_detailed(*path, client=self.client, **given)


@pytest.fixture
def generated(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Generated]:
    monkeypatch.syspath_prepend(tmp_path)
    with served(database) as port:
        generated = Generated(port, tmp_path)
        with generated.client:
            yield generated
    for name in [one for one in sys.modules if one.split(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.mark.long
def test_a_generated_client_goes_through_a_products_life_and_reads_each_error(generated: Generated) -> None:
    call, model = generated.call, generated.model
    assert generated.complaints == []

    # created, changed, read
    new = model("DescribeProduct", sku="A", kind="product", prices=[{"amount": "89.95", "currency": "EUR"}])
    created = call("products.create_product", body=new, x_actor="anna")
    assert (created.status_code, created.parsed.changed) == (201, True)
    assert created.headers["location"] == "/api/v1/products/A"
    put = call("products.describe_product", "B", body=model("DescribeProduct", sku="B", kind="product"))
    assert (put.status_code, put.parsed.version) == (201, 1)
    defined = call("catalogue.define_attribute", "name", body=model("AttributeDefined", code="name", type="text"))
    assert defined.status_code == 201
    named = model("Attributes", changes=[{"attribute": "name", "value": "Regenjas"}])
    assert call("products.set_attributes", "A", body=named).parsed.changed
    price = call("products.change_price", "A", "default", "EUR", body=model("Amount", amount="79.95"))
    stocked = call("products.count_stock", "A", "main", body=model("Quantity", quantity=3))
    assert (stocked.status_code, stocked.parsed.version) == (200, 1)
    shown = call("products.show_product", "A")
    assert (shown.parsed.sku, shown.parsed.stock.to_dict()) == ("A", {"main": 3})
    assert [one.value for one in shown.parsed.values] == ["Regenjas"]
    then = call("products.show_product", "A", position=created.parsed.position).parsed
    assert [one.amount for one in then.prices] == ["89.95"]
    history = call("products.show_history", "A").parsed
    assert (history.changes[0].sentence, history.changes[0].actor) == ("created", "anna")
    unchanged = call("products.show_product", "A", if_none_match=shown.headers["etag"])
    assert unchanged.status_code == 304

    # refused
    errors = {
        "not_found": (404, call("products.show_product", "NOSUCH")),
        "refused": (409, call("products.create_product", body=new)),
        "version_conflict": (
            412,
            call("products.change_price", "A", "default", "EUR", body=model("Amount", amount="1"), if_match='"1"'),
        ),
        "invalid_value": (422, call("products.change_price", "A", "default", "XXY", body=model("Amount", amount="1"))),
        "malformed": (400, call("products.change_price", "A", "default", "EUR", body=model("Amount", amount=1))),
        "too_large": (413, call("products.set_attributes", "A", body=large(model))),
    }
    for code, (status, answer) in errors.items():
        assert (answer.status_code, type(answer.parsed).__name__, answer.parsed.code) == (status, "Problem", code)
        assert answer.parsed.status == status and answer.parsed.detail
    conflict = errors["version_conflict"][1].parsed
    assert (conflict.expected, conflict.actual) == (1, price.parsed.version)
    assert errors["not_found"][1].parsed.sku == "NOSUCH"
    assert errors["malformed"][1].parsed.field == "amount"

    # asked for in pages, and probed
    page = call("products.list_products", limit=1).parsed
    assert ([one.sku for one in page.products], page.next_) == (["A"], "A")
    assert call("products.list_products", limit=0).status_code == 422
    assert call("probes.show_ready").status_code in (200, 503)
    assert [one.type_ for one in call("catalogue.list_events", limit=1).parsed.events] == ["product.created.v1"]


def large(model: Any) -> Any:
    return model("Attributes", changes=[{"attribute": "name", "value": "x" * limits.BODY.most}])
