"""The neutral format: JSON Lines, one command of a fixed set a line. Import and export both use it."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from daybook.commands import ConfigureChannel, DefineAttribute, DefineCategory, DefineFamily, DescribeProduct
from daybook.errors import DaybookError
from daybook.events import (
    AttributeChange,
    AttributeDefined,
    AttributeOption,
    CategoryDefined,
    ChannelConfigured,
    FamilyDefined,
)

VERSION = 1

Record = DefineAttribute | DefineFamily | DefineCategory | ConfigureChannel | DescribeProduct
Noun = Literal["attribute", "category", "family", "channel", "product"]
NOUNS: tuple[Noun, ...] = ("attribute", "category", "family", "channel", "product")
"""In the order in which an export writes them, so that what a line names stands above it."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="daybook.catalogue"):
    """The first line, which may be left out: what this file is."""

    version: int = VERSION


class MalformedRecord(DaybookError):
    """A line is no record of the neutral format. The message names the field and the reason."""

    code = "malformed_record"


# A deterministic order sorts the keys of objects that are mappings; a record's own fields keep their order.
_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Header | Record)

# The events inside a command ignore fields that they do not know, so that an older Daybook can read a newer log. In a
# file that a person writes, such a field is a misspelling that would be lost without a word.
_PARTS: dict[str, type[Any]] = {
    "attribute": AttributeDefined,
    "family": FamilyDefined,
    "category": CategoryDefined,
    "channel": ChannelConfigured,
}
_LISTS: dict[str, type[Any]] = {"attributes": AttributeChange}


def encode(record: Header | Record) -> bytes:
    """The record as one line, with the newline; equal records give the same bytes."""
    return _encoder.encode(record) + b"\n"


def decode(line: bytes) -> Header | Record:
    """The record of one line. Raises MalformedRecord."""
    try:
        found: Header | Record = _decoder.decode(line)
    except msgspec.ValidationError as error:
        raise MalformedRecord(_readable(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedRecord(f"is no JSON: {error}") from None
    if isinstance(found, Header) and found.version != VERSION:
        raise MalformedRecord(
            f"the file is in version {found.version} of the format; this Daybook reads version {VERSION}. "
            "Export it again with the same version, or upgrade"
        )
    return found


def check_fields(line: bytes) -> None:
    """Raises MalformedRecord for a field, anywhere in a line that `decode` took, that is unknown or stands twice."""
    try:
        plain = json.loads(line, object_pairs_hook=_said_once)
    except (ValueError, RecursionError) as error:
        raise MalformedRecord(f"can't be read: {error}") from None
    for path, part, known in _known(plain):
        for name in part:
            if name not in known.__struct_fields__:
                raise MalformedRecord(f"{path}.{name}: there is no such field; there are: {_fields(known)}")


def fields_said(line: bytes, record: Record) -> frozenset[str] | None:
    """The fields of a definition that the line names, as far as it says one: what is left out stays."""
    if isinstance(record, DescribeProduct):
        return None
    return frozenset(msgspec.json.decode(line)[noun(record)])


def noun(record: Record) -> Noun:
    """What the record is about."""
    match record:
        case DefineAttribute():
            return "attribute"
        case DefineCategory():
            return "category"
        case DefineFamily():
            return "family"
        case ConfigureChannel():
            return "channel"
        case DescribeProduct():
            return "product"


def name(record: Record) -> str:
    """The code or SKU that the record is about."""
    match record:
        case DefineAttribute(attribute=attribute):
            return attribute.code
        case DefineCategory(category=category):
            return category.code
        case DefineFamily(family=family):
            return family.code
        case ConfigureChannel(channel=channel):
            return channel.name
        case DescribeProduct(sku=sku):
            return sku


def parent(record: Record) -> str | None:
    """The record of the same noun that must be there first."""
    match record:
        case DefineCategory(category=category):
            return category.parent
        case DescribeProduct(parent=parent):
            return parent or None
        case _:
            return None


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A decoder would let the last one count, without a word."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedRecord(f"{twice[:100]}: stands twice: say it once")
    return made


def _known(plain: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], type[Any]]]:
    for field, value in plain.items():
        if field in _PARTS and isinstance(value, dict):
            yield field, value, _PARTS[field]
            for number, option in enumerate(value.get("options", ()) if field == "attribute" else ()):
                yield f"{field}.options[{number}]", option, AttributeOption
        elif field in _LISTS and isinstance(value, list):
            for number, item in enumerate(value):
                yield f"{field}[{number}]", item, _LISTS[field]


def _fields(known: type[Any]) -> str:
    return ", ".join(known.__struct_fields__)


def _readable(message: str) -> str:
    """`Expected \\`int\\`, got \\`str\\` - at \\`$.stock[...]\\`` becomes `stock[...]: expected \\`int\\`, ...`."""
    reason, _, path = message.partition(" - at `")
    path = path.rstrip("`").removeprefix("$").removeprefix(".")
    if path in ("", "type") and "Invalid value" in reason:
        kinds = ", ".join(sorted(cls.__struct_config__.tag for cls in (Header, *Record.__args__)))
        return f"type: must be one of {kinds}"
    reason = reason[:1].lower() + reason[1:]
    return f"{path}: {reason}" if path else reason
