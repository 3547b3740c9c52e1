"""Carrying a command out and saying what it did; questions' answers with their ETags."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response

from daybook.app import App
from daybook.commands.book import Decides, Done
from daybook.errors import InvalidValue
from daybook.http.caller import Caller


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a command did. A repeated request gets the very same one."""

    position: int | None
    """Of the command's last event; null when the wish was true already and nothing was recorded."""
    version: int
    """Of the stream that the ETag speaks of, after the command."""
    command_id: str
    changed: bool


def carry_out(
    app: App, caller: Caller, command: Decides, stream: str, location: str | None = None
) -> Response[Receipt]:
    """Carries the command out. 200; with `location`, 201 when the command began the stream, that is, created it."""
    done = app.book.carry_out(
        command, caller.context, expected_version=caller.expected_version, repeatable=caller.repeatable
    )
    version = _version_then(app, done, stream) if done.repeated else done.version
    receipt = Receipt(position=done.last, version=version, command_id=done.command_id, changed=done.changed)
    headers = {"ETag": f'"{version}"'}
    if done.repeated:
        headers["Idempotent-Replayed"] = "true"
    created = location is not None and _created(app, done, stream)
    if location is not None and created:
        headers["Location"] = location
    return Response(receipt, status_code=201 if created else 200, headers=headers)


def conditional(request: Request[Any, Any, Any], body: msgspec.Struct, version: int) -> Response[Any]:
    """The body with a strong ETag, or 304 when the caller has it.

    The tag is the product's version, which If-Match compares, and a hash of the body: stock, parents and the
    catalogue's definitions show in an answer too and do not move the product's version.
    """
    return tagged(request, msgspec.json.encode(body), f"{version}-")


def tagged(
    request: Request[Any, Any, Any],
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
    wanted = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in wanted or "*" in wanted:
        return Response(None, status_code=304, headers=sent)
    return Response(encoded, media_type=media_type, headers=sent)


def same(path: str, body: str, field: str) -> str:
    """The name in the path, which the body must repeat."""
    if path != body:
        raise InvalidValue(field, f"is {body!r} in the body and {path!r} in the path", body)
    return path


def _version_then(app: App, done: Done, stream: str) -> int:
    events = app.reader.of_stream(stream, upto=done.last or 0)
    return events[-1].version if events else 0


def _created(app: App, done: Done, stream: str) -> bool:
    if done.first is None:
        return False
    (first,) = app.reader.after(done.first - 1, limit=1)
    return first.stream == stream and first.version == 1
