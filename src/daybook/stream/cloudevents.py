"""The message body: CloudEvents 1.0 in JSON, so that any CloudEvents library can read the stream.

`subject` is the SKU, `sequence` the position as 20 digits (the CloudEvents sequence extension wants text that sorts).
Attribute names may hold lower-case letters and digits only, hence `commandid`.
Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from daybook.errors import CorruptLog
from daybook.events import Recorded, codec
from daybook.stream.subjects import subject

_COLUMNS = Recorded.__struct_fields__
SOURCE = "/daybook"


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message. `data` is the event's body exactly as the log holds it."""

    specversion: str = "1.0"
    id: str
    source: str = SOURCE
    type: str
    subject: str | None = None
    time: datetime
    datacontenttype: str = "application/json"
    sequence: str
    partitionkey: str
    stream: str
    streamversion: int
    actor: str
    reason: str | None = None
    origin: str
    correlationid: str
    causationid: str | None = None
    commandid: str
    access: str | None = None
    data: msgspec.Raw


_REQUIRED_DEFAULTS = b'{"specversion":"1.0","source":"/daybook","datacontenttype":"application/json",'
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CloudEvent)


def encode(row: Sequence[Any]) -> bytes:
    """A row of the reading queries as a message body."""
    position, event_id, stream, version, kind, sku, key, at, actor, reason, source, *ids, data = row
    correlation, causation, command, access = ids
    body = _encoder.encode(
        CloudEvent(
            id=event_id,
            type=kind,
            subject=sku,
            time=at,
            sequence=f"{position:020d}",
            partitionkey=key,
            stream=stream,
            streamversion=version,
            actor=actor,
            reason=reason,
            origin=source,
            correlationid=correlation,
            causationid=causation,
            commandid=command,
            access=access,
            data=msgspec.Raw(data.encode()),
        )
    )
    # Fields that are always the same are left out by the encoder and put in front here, once for all.
    return _REQUIRED_DEFAULTS + body[1:]


def row(body: bytes) -> tuple[Any, ...]:
    """The row that a message was made of: `encode` turned round. Raises CorruptLog for a body that is none of ours."""
    try:
        one = _decoder.decode(body)
        return (
            int(one.sequence),
            one.id,
            one.stream,
            one.streamversion,
            one.type,
            one.subject,
            one.partitionkey,
            one.time,
            one.actor,
            one.reason,
            one.origin,
            one.correlationid,
            one.causationid,
            one.commandid,
            one.access,
            str(one.data, "utf-8"),
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise CorruptLog(f"a message in the stream is no Daybook event: {error}") from error


def difference(body: bytes, under: str, event: Sequence[Any]) -> str | None:
    """What tells a message, published under a subject, from the event of a row, in words; None when both say the same.

    An older Daybook may have spelled the same event in other bytes.
    """
    if body != encode(event) and (wrong := _differing(body, event)):
        return f"is not the event at its position: {wrong}"
    right = subject(event[4], event[6])
    return None if under == right else f"has the subject {under} instead of {right}"


def _differing(body: bytes, event: Sequence[Any]) -> str:
    try:
        there = row(body)
        names = [name for name, one, other in zip(_COLUMNS, there, event, strict=False) if one != other]
        if names == ["event"] and codec.decode(there[4], there[15]) == codec.decode(event[4], event[15]):
            return ""
    except CorruptLog as error:
        return str(error)
    return f"other {', '.join(names)}" if names else ""


def decode(body: bytes) -> Recorded:
    """The event of a message. Raises CorruptLog for a body that is none of ours."""
    event = row(body)
    columns: dict[str, Any] = dict(zip(_COLUMNS, event[:-1], strict=False))
    return Recorded(**columns, event=codec.decode(event[4], event[15]))
