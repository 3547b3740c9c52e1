"""Answers: what a command did, and what a question found, with their ETags."""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from litestar import Response

from daybook.app import App
from daybook.commands import DefinePart
from daybook.commands.book import Command, CommandResult
from daybook.commands.catalogue import Definition
from daybook.errors import InvalidValue
from daybook.queries.fields import FieldChange
from daybook.queries.planned import planned
from daybook.web.authorise import authorised
from daybook.web.caller import Caller

_IN_PAGES = (
    *((one, b"\\u00" + one.hex().encode()) for one in (b"<", b">", b"&")),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
"""Outside of strings JSON has none of these."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a command did. A repeated request gets the very same one."""

    position: int | None
    """Of the command's last event; null when the wish was true already and nothing was recorded."""
    version: int
    """Of the stream that the ETag speaks of, after the command."""
    command_id: str
    changed: bool


class PlannedChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a command would do. Nothing was recorded."""

    dry_run: bool = True
    outcome: Literal["created", "changed", "unchanged"]
    changes: list[FieldChange]
    """The fields that would differ, each before and after."""
    version: int
    """Of the stream as it is: what If-Match compares."""


def dry_run_of(app: App, caller: Caller, command: Command, stream: str) -> PlannedChange:
    """Decides the command and says what it would do. Raises what carrying it out would raise."""
    authorised(app, caller.principal, command)
    book = app.book.dry_run()
    done = book.carry_out(command, caller.context, expected_version=caller.expected_version)
    outcome: Literal["created", "changed", "unchanged"] = (
        "created" if done.created else "changed" if done.changed else "unchanged"
    )
    return PlannedChange(outcome=outcome, changes=planned(done), version=done.versions[stream])


def carry_out(
    app: App, caller: Caller, command: Command, stream: str, location: str | None = None
) -> Response[Receipt]:
    """Carries the command out, when its sender may. 200; with `location`, 201 when it began the stream: created it."""
    context = msgspec.structs.replace(caller.context, access=authorised(app, caller.principal, command))
    result = app.book.carry_out(
        command, context, expected_version=caller.expected_version, repeatable=caller.repeatable
    )
    return receipt_of(app, result, stream, location)


def receipt_of(app: App, result: CommandResult, stream: str, location: str | None = None) -> Response[Receipt]:
    """What a command did, as an answer."""
    version = _version_then(app, result, stream) if result.repeated else result.version
    receipt = Receipt(position=result.last, version=version, command_id=result.command_id, changed=result.changed)
    headers = {"ETag": f'"{version}"'}
    if result.repeated:
        headers["Idempotent-Replayed"] = "true"
    created = location is not None and _created(app, result, stream)
    if location is not None and created:
        headers["Location"] = location
    return Response(receipt, status_code=201 if created else 200, headers=headers)


def part_of(definition: Definition, body: bytes) -> DefinePart:
    """The definition as far as the body, a JSON object, says it."""
    return DefinePart(definition=definition, said=tuple(sorted(msgspec.json.decode(body))))


def conditional(if_none_match: str | None, body: msgspec.Struct, version: int) -> Response[Any]:
    """The body with a strong ETag, or 304 when the caller has it.

    The tag is the product's version, which If-Match compares, and a hash of the body: stock, parents and the
    catalogue's definitions show in an answer too and do not move the product's version.
    """
    return tagged(if_none_match, msgspec.json.encode(body), f"{version}-")


def tagged(
    if_none_match: str | None,
    encoded: bytes,
    prefix: str,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """These bytes with a strong ETag, `prefix` and a hash of them, or 304 when the caller has them.

    `headers` are sent with both.
    """
    etag = f'"{prefix}{hashlib.blake2b(encoded, digest_size=8).hexdigest()}"'
    sent = {"ETag": etag, "Cache-Control": "no-cache"} | dict(headers or {})
    wanted = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    if etag in wanted or "*" in wanted:
        return Response(None, status_code=304, headers=sent)
    return Response(encoded, media_type=media_type, headers=sent)


def embeddable(encoded: bytes) -> bytes:
    """The same JSON without a character that means something to HTML or to JavaScript.

    Hazard: a page embeds it in a `script` element, which ends at the first `</script>`, also inside of a string.
    """
    for raw, escaped in _IN_PAGES:
        encoded = encoded.replace(raw, escaped)
    return encoded


def same(path: str, body: str, field: str) -> str:
    """The name in the path, which the body must repeat."""
    if path != body:
        raise InvalidValue(field, f"is {body!r} in the body and {path!r} in the path", body)
    return path


def _version_then(app: App, result: CommandResult, stream: str) -> int:
    events = app.reader.of_stream(stream, upto=result.last or 0)
    return events[-1].version if events else 0


def _created(app: App, result: CommandResult, stream: str) -> bool:
    if not result.repeated or result.first is None:
        return result.created
    (first,) = app.reader.after(result.first - 1, limit=1)
    return first.stream == stream and first.version == 1
