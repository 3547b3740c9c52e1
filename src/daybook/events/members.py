"""The members of a JSON body: unknown ones, and those that stand twice, which a decoder would pass over or overwrite.

The events inside a command ignore members that they do not know, so that an older Daybook can read a newer log. What a
person sends is read strictly: such a member is a misspelling that would be lost without a word.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from msgspec import inspect


class _Object(dict[str, Any]):
    """A JSON object that knows which of its members stood twice."""

    twice: str | None = None


def unknown_member(body: bytes, type_: Any) -> tuple[str, str] | None:
    """The path of the first member that the type does not know, or that stands twice, and why; None when all is well.

    The body must be well-formed JSON.
    """
    try:
        plain = json.loads(body, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None  # a number with thousands of digits, or too deep: the decoder has its own words for it
    return next(_wrong(plain, _described(type_), ""), None)


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                made.twice = name
            seen.add(name)
    return made


@lru_cache(maxsize=200)
def _described(type_: Any) -> inspect.Type:
    return inspect.type_info(type_)


def _wrong(plain: Any, described: inspect.Type, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(plain, _Object) and plain.twice is not None:
        yield _join(path, plain.twice), "stands twice: say it once"
    match described:
        case inspect.UnionType(types=types):
            for one in types:
                if _fits(plain, one):
                    yield from _wrong(plain, one, path)
        case inspect.StructType() if isinstance(plain, dict):
            yield from _wrong_in_struct(plain, described, path)
        case inspect.DictType(value_type=value_type) if isinstance(plain, dict):
            for name, value in plain.items():
                yield from _wrong(value, value_type, _join(path, name))
        case inspect.VarTupleType(item_type=item_type) | inspect.ListType(item_type=item_type):
            for number, item in enumerate(plain if isinstance(plain, list) else ()):
                yield from _wrong(item, item_type, f"{path}[{number}]")
        case inspect.AnyType():
            yield from _twice_within(plain, path)


def _wrong_in_struct(plain: dict[str, Any], described: inspect.StructType, path: str) -> Iterator[tuple[str, str]]:
    fields = {one.encode_name: one for one in described.fields}
    for name, value in plain.items():
        if name in fields:
            yield from _wrong(value, fields[name].type, _join(path, name))
        elif name != described.tag_field:
            yield _join(path, name[:100]), f"there is no such member; there are: {', '.join(fields)}"


def _twice_within(plain: Any, path: str) -> Iterator[tuple[str, str]]:
    """In what is taken as it comes."""
    if isinstance(plain, _Object) and plain.twice is not None:
        yield _join(path, plain.twice), "stands twice: say it once"
    inner = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for name, value in inner:
        yield from _twice_within(value, f"{path}[{name}]" if isinstance(name, int) else _join(path, name))


def _fits(plain: Any, described: inspect.Type) -> bool:
    match described:
        case inspect.StructType(tag_field=str() as field, tag=tag):
            return isinstance(plain, dict) and plain.get(field) == tag
        case inspect.StructType() | inspect.DictType():
            return isinstance(plain, dict)
        case inspect.ListType() | inspect.VarTupleType():
            return isinstance(plain, list)
        case _:
            return False


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
