"""What the reference pages are made of: the docstrings of msgspec structs, read from their source."""

import ast
import inspect
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

import msgspec


def summary(text: str | None) -> str:
    """A docstring on one line, safe inside a table, in the words of JSON."""
    return re.sub(r"\bNone\b", "null", " ".join((text or "").split()).replace("|", "\\|"))


def fields(struct: type[Any]) -> list[tuple[str, str, str, str]]:
    """(name, type, default, what its docstring says) of each field, in order."""
    said = _said(struct)
    return [
        (one.name, type_name(one.type), _default(one), summary(said.get(one.name)))
        for one in msgspec.structs.fields(struct)
    ]


def type_name(given: Any) -> str:
    """A type as a reader of JSON would name it."""
    if given is None or given is type(None):
        return "null"
    if given in (str, int, bool, float):
        return {str: "text", int: "whole number", bool: "true or false", float: "number"}[given]
    if given is Any:
        return "any"
    if given is datetime:
        return "time"
    origin, inner = get_origin(given), get_args(given)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin in (list, tuple):
        return f"list of {type_name(inner[0])}"
    if origin is dict:
        return f"{type_name(inner[0])} → {type_name(inner[1])}"
    if inner:
        return ", or ".join(type_name(one) for one in inner)
    return f"[{given.__name__}](#{given.__name__.lower()})"


def structs_in(given: Any) -> list[type[Any]]:
    """The structs that a field's type mentions."""
    if isinstance(given, type) and issubclass(given, msgspec.Struct):
        return [given]
    return [found for one in get_args(given) for found in structs_in(one)]


def _default(one: msgspec.structs.FieldInfo) -> str:
    if one.required:
        return ""
    value = one.default_factory() if one.default is msgspec.NODEFAULT else one.default
    if value is None:
        return "none"
    return f"`{msgspec.json.encode(value).decode()}`"


def columns(struct: type[Any]) -> list[tuple[str, str, str]]:
    """(name, type as written, what its docstring says) of each field, for a struct whose types can't be resolved."""
    said = _said(struct)
    return [
        (one.target.id, ast.unparse(one.annotation), summary(said.get(one.target.id)))
        for one in _body(struct)
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    ]


def _body(struct: type[Any]) -> list[ast.stmt]:
    found = ast.parse(inspect.getsource(struct)).body[0]
    assert isinstance(found, ast.ClassDef)
    return found.body


def _said(struct: type[Any]) -> dict[str, str]:
    """The text right below each field of the class body."""
    body = _body(struct)
    said: dict[str, str] = {}
    for before, after in pairwise(body):
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name):
            match after:
                case ast.Expr(value=ast.Constant(value=str() as text)):
                    said[before.target.id] = text
    return said


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A table in Markdown, without the columns that hold nothing."""
    kept = [at for at in range(len(heads)) if any(row[at] for row in rows)]
    cut = [tuple(row[at] for at in kept) for row in (heads, tuple("---" for _ in heads), *rows)]
    return [f"| {' | '.join(row)} |" for row in cut]
