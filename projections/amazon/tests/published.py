"""Amazon's published contracts, as checks: does this body fit that definition?"""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any

import jsonschema

from tests.fixtures.shared import SPECS

LISTINGS = "listingsItems_2021-08-01"
FEEDS = "feeds_2021-06-30"
TYPES = "definitionsProductTypes_2020-09-01"


def _load(name: str) -> Any:
    assert SPECS is not None
    return json.loads((SPECS / "amazon" / f"{name}.json").read_text())


@lru_cache
def _definitions(api: str) -> dict[str, Any]:
    definitions: dict[str, Any] = deepcopy(_load(api)["definitions"])
    _close(definitions)
    return definitions


def _close(node: Any) -> None:
    """The contract lets any member pass; a misspelt one must not, so every object is closed."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            node.setdefault("additionalProperties", False)
        for inner in node.values():
            _close(inner)


def fits(definition: str, body: Any, api: str = LISTINGS) -> None:
    """Raises jsonschema's ValidationError when it does not."""
    schema = {"$ref": f"#/definitions/{definition}", "definitions": _definitions(api)}
    jsonschema.Draft4Validator(schema).validate(body)


def asks(method: str, query: Mapping[str, str], api: str = LISTINGS) -> None:
    """Raises AssertionError when the item's operation has no such parameters, or one that must be there is not."""
    (operations,) = (each for path, each in _load(api)["paths"].items() if path.endswith("/{sku}"))
    known = {each["name"]: each for each in operations[method.lower()]["parameters"] if each["in"] == "query"}
    missing = {name for name, each in known.items() if each["required"]} - query.keys()
    assert not missing and query.keys() <= known.keys(), f"{method} with {sorted(query)}: {sorted(missing)} missing"
    for name, text in query.items():
        values = text.split(",") if known[name]["type"] == "array" else [text]
        allowed = known[name].get("items", known[name]).get("enum", values)
        assert {*values} <= {*allowed}, f"{name}: {text}"
        assert len(values) <= known[name].get("maxItems", len(values)), f"{name}: {text}"
    previewed = "identifiers" in query.get("includedData", "") and "mode" not in query
    assert not previewed, "identifiers can only be requested with a validation preview"


@lru_cache
def _file_check(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(_load(name))


def is_feed(body: Any) -> None:
    """The document of a JSON_LISTINGS_FEED."""
    _file_check("listings-feed-schema-v2").validate(body)


def is_report(body: Any) -> None:
    """The report on a JSON_LISTINGS_FEED."""
    _file_check("listings-feed-processing-report-schema-v2").validate(body)
