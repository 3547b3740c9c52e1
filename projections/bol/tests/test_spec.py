"""What the connector sends and the sandbox answers fits bol's published Offers API, field by field."""

import asyncio
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from daybook.channel.calls import Calls, Exchange, exchanges
from daybook.channel.contract import Push
from daybook.channel.testing import Shelf, catalogue, render
from daybook.events import ProductCreated
from projections.bol import manifest
from projections.bol.connector import MEDIA_TYPE, connector
from projections.bol.sandbox import BolSandbox
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
    """The published paths and schemas."""

    def __init__(self) -> None:
        assert SPECS is not None
        document = msgspec.json.decode((SPECS / "bol" / "offers-v11.json").read_bytes())
        self.paths = document["paths"]
        self.components = closed(document["components"])

    def operation(self, method: str, path: str) -> Any:
        parts = path.split("?")[0].split("/")
        for template, operations in self.paths.items():
            names = template.split("/")
            if len(names) == len(parts) and all(n in (p, "{offer-id}") for n, p in zip(names, parts, strict=True)):
                return operations[method.lower()]
        raise AssertionError(f"{path} is not published")

    def check(self, content: Any, text: bytes | str | None) -> None:
        if not content or not content[MEDIA_TYPE]:
            assert not text
            return
        assert text
        schema = content[MEDIA_TYPE]["schema"] | {"components": self.components}
        Draft202012Validator(schema).validate(msgspec.json.decode(text))


def test_requests_and_answers_fit_the_published_contract() -> None:
    history = catalogue(manifest)
    keys = {each.event.sku: each.key for each in history.recorded if isinstance(each.event, ProductCreated)}
    shelf = Shelf(manifest, keys, render(manifest, history))

    async def run() -> None:
        sandbox = BolSandbox()
        await sandbox.start()
        bol, calls = connector(sandbox.settings()), Calls(sandbox.url)
        try:
            await shelf.bring(bol, list(shelf.listings))
            await shelf.bring(bol, list(shelf.listings))
            lost = Push(
                sku="SIMPLE-1",
                key="SIMPLE-1",
                facet="offer",
                payload=shelf.listings["SIMPLE-1"]["offer"],
                listing=shelf.listings["SIMPLE-1"],
                remote_id=None,
                remote_ids={},
                position=1,
                attempt=2,
            )
            await bol.push(lost)
            headers = {"Accept": MEDIA_TYPE, "Authorization": f"Bearer {bol._token}"}
            for offer_id in sandbox.offers:
                reasons = f"/retailer/offers/{offer_id}/not-for-sale-reasons"
                await calls.request("GET", reasons, headers=headers)
            await shelf.push(bol, "SIMPLE-1", "offer", remove=True)
        finally:
            await bol.close()
            await calls.close()
            await sandbox.stop()

    async def journalled() -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await run()
        contract = Contract()
        seen: set[str] = set()
        for each in kept:
            path = "/" + each.url.split("/", 3)[3]
            if path == "/token":
                continue
            operation = contract.operation(each.method, path)
            seen.add(operation["operationId"])
            contract.check(operation.get("requestBody", {}).get("content"), each.request)
            contract.check(operation["responses"][str(each.status)].get("content"), each.answer)
        assert seen == {
            "get-offers",
            "create-offer",
            "get-offer",
            "delete-offer",
            "update-offer",
            "get-not-for-sale-reasons",
        }

    asyncio.run(journalled())
