"""Amazon's published contract, as a check: does this body fit that definition?"""

import json
from copy import deepcopy
from functools import lru_cache
from typing import Any

import jsonschema

from tests.fixtures.shared import SPECS


@lru_cache
def _definitions() -> dict[str, Any]:
    assert SPECS is not None
    spec = json.loads((SPECS / "amazon" / "listingsItems_2021-08-01.json").read_text())
    definitions: dict[str, Any] = deepcopy(spec["definitions"])
    _close(definitions)
    return definitions


def _close(node: Any) -> None:
    """The contract lets any member pass; a misspelt one must not, so every object is closed."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            node.setdefault("additionalProperties", False)
        for inner in node.values():
            _close(inner)


def fits(definition: str, body: Any) -> None:
    """Raises jsonschema's ValidationError when it does not."""
    schema = {"$ref": f"#/definitions/{definition}", "definitions": _definitions()}
    jsonschema.Draft4Validator(schema).validate(body)
