"""What the connector sends and the sandbox answers fits bol's published APIs, field by field."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import Rejected
from daybook.channel.orders import OrdersPage
from daybook.channel.sandbox import Faults
from daybook.channel.testing import Shelf, catalogue, render
from daybook.events import ProductCreated
from daybook_projections.bol import manifest
from daybook_projections.bol.access import RATES, RETAILER_V10, RETAILER_V11
from daybook_projections.bol.tests.desk import Bol, on_bol
from tests.fixtures.shared import SPECS, needs_specs

pytestmark = needs_specs


def closed(schema: Any) -> Any:
    """The schema with every object closed: the published one would let a misspelt field pass."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    extra = {"additionalProperties": False} if "properties" in schema and schema.get("type") == "object" else {}
    return {name: closed(value) for name, value in schema.items()} | extra


class Contract:
    """The published paths and schemas of the offers (v11) and of content and process statuses (v10)."""

    def __init__(self) -> None:
        assert SPECS is not None
        self.operations: list[tuple[list[str], Any, Any, str]] = []
        for name, media_type in (
            ("offers-v11", RETAILER_V11),
            ("retailer", RETAILER_V10),
            ("shared", RETAILER_V10),
        ):
            document = msgspec.json.decode((SPECS / "bol" / f"{name}.json").read_bytes())
            components = closed(document["components"])
            for path, operations in document["paths"].items():
                self.operations.append((path.split("/"), operations, components, media_type))

    def operation(self, method: str, path: str) -> tuple[Any, Any, str]:
        """The operation of the newest version that has it, with its schemas and its media type."""
        parts = path.split("?")[0].split("/")
        for names, operations, components, media_type in self.operations:
            same = len(names) == len(parts) and all(
                name == part or name.startswith("{") for name, part in zip(names, parts, strict=True)
            )
            if same and method.lower() in operations:
                return operations[method.lower()], components, media_type
        raise AssertionError(f"{method} {path} is not published")

    def check(self, each: Exchange) -> str:
        """Holds one request and its answer against the contract; returns bol's name of the operation."""
        operation, components, media_type = self.operation(each.method, "/" + each.url.split("/", 3)[3])
        for content, text in (
            (operation.get("requestBody", {}).get("content"), each.request),
            (operation["responses"][str(each.status)].get("content"), each.answer),
        ):
            if not content or not content[media_type]:
                assert not text
                continue
            assert text
            schema = content[media_type]["schema"] | {"components": components}
            Draft202012Validator(schema).validate(msgspec.json.decode(text))
        return str(operation["operationId"])


def test_requests_and_answers_fit_the_published_contract() -> None:
    history = catalogue(manifest)
    keys = {each.event.sku: each.key for each in history.recorded if isinstance(each.event, ProductCreated)}
    shelf = Shelf(manifest, keys, render(manifest, history))
    kept: list[Exchange] = []

    async def scenario(bol: Bol) -> None:
        exchanges.set(kept)
        await shelf.bring(bol.connector, list(shelf.listings))
        bol.sandbox.faults = Faults(fail_members=True)
        bol.sandbox.not_sold["4015211100803"] = {"category": "PRICE", "code": "4000-1", "description": "Too high"}
        await shelf.push(bol.connector, "SIMPLE-1", "offer")
        assert isinstance(await shelf.push(bol.connector, "SIMPLE-1", "content"), Rejected)
        wanted = shelf.listings["SIMPLE-1"]
        for _ in range(2):
            await bol.connector.read(bol.described("offer", wanted, sku="SIMPLE-1"))
            bol.remote_id = shelf.remote_ids["SIMPLE-1"]
        reasons = f"/retailer/offers/{bol.remote_id}/not-for-sale-reasons"
        await bol.connector._access.call("GET", reasons, "get-not-for-sale-reasons")
        bol.sandbox.upload_end = "FAILURE"
        assert isinstance(await shelf.push(bol.connector, "SIMPLE-2", "content"), Rejected)
        bol.sandbox.buy(("SIMPLE-1", 1), discount=0.5)
        found = await bol.connector.changed_orders(datetime.now(UTC), None)
        assert isinstance(found, OrdersPage) and len(found.orders) == 1
        await shelf.push(bol.connector, "SIMPLE-1", "offer", remove=True)

    on_bol(scenario)
    contract = Contract()
    assert {contract.check(each) for each in kept if not each.url.endswith("/token")} == {
        "get-offers",
        "create-offer",
        "get-offer",
        "delete-offer",
        "update-offer",
        "get-not-for-sale-reasons",
        "post-product-content",
        "get-process-status",
        "get-upload-report",
        "get-catalog-product",
        "get-orders",
        "get-order",
    }


def test_the_operations_have_the_names_that_bol_gives_them() -> None:
    published = {each["operationId"] for _, operations, _, _ in Contract().operations for each in operations.values()}
    assert RATES.keys() <= published
