"""Carries out a GraphQL document against the part of Shopify's schema in `schema.graphql`.

What is not in the schema is refused, and an answer holds what the document asks for and nothing else. The words of
refusals are the library's, their codes are Shopify's.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    build_schema,
    execute_sync,
    get_directive_values,
    parse,
    validate,
)

from daybook.channel.contract import Payload

SCHEMA = build_schema(Path(__file__).with_name("schema.graphql").read_text())
Resolver = Callable[..., Any]
WITHOUT_DATA = frozenset({"MAX_INPUT_SIZE_EXCEEDED"})
"""Codes of errors that are found before anything is carried out: `data` is left out of the answer."""


class GraphError(GraphQLError):
    """An error of the whole request, in `errors`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})


def carry_out(query: str, variables: Mapping[str, Any], roots: Mapping[str, Resolver]) -> Payload:
    """Answers a document: `data`, `errors` or both. `roots` resolve the fields of queries and mutations."""
    document, refusals = _checked(query)
    if document is None:
        return {"errors": [dict(each) for each in refusals]}
    result = execute_sync(SCHEMA, document, dict(roots), variable_values=dict(variables))
    assert isinstance(result, ExecutionResult), "no resolver is asynchronous"
    errors = [_shaped(error, "INVALID_VARIABLE" if error.path is None else "") for error in result.errors or ()]
    if not errors:
        return {"data": result.data}
    codes = {error["extensions"]["code"] for error in errors}
    data = {} if result.data is None or codes & WITHOUT_DATA else {"data": result.data}
    return {"errors": errors} | data


def idempotency_key(info: GraphQLResolveInfo[Any]) -> str | None:
    """The key of the field's @idempotent directive; None when it has none."""
    directive = SCHEMA.get_directive("idempotent")
    assert directive is not None
    values = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    return str(values["key"]) if values else None


@lru_cache(maxsize=256)
def _checked(query: str) -> tuple[DocumentNode | None, tuple[Payload, ...]]:
    """The document, or why it is none that the schema has. A connector sends the same few."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, (_shaped(error, "PARSE_ERROR"),)
    unknown = validate(SCHEMA, document)
    return (None if unknown else document), tuple(_shaped(error, "undefinedField") for error in unknown)


def _shaped(error: GraphQLError, code: str) -> Payload:
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        raise error.original_error  # a mistake in the sandbox itself
    shaped: Payload = {"message": error.message, "extensions": dict(error.extensions or {}) or {"code": code}}
    if error.path is not None and shaped["extensions"].get("code") != "INVALID_VARIABLE":
        shaped["path"] = [str(each) for each in error.path]
    return shaped
