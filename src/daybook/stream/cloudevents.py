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
    data: msgspec.Raw


_REQUIRED_DEFAULTS = b'{"specversion":"1.0","source":"/daybook","datacontenttype":"application/json",'
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CloudEvent)


def encode(row: Sequence[Any]) -> bytes:
    """A row of the reading queries as a message body."""
    position, event_id, stream, version, kind, sku, key, at, actor, reason, source, correlation, causation, command = (
        row[:14]
    )
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
            data=msgspec.Raw(row[14].encode()),
        )
    )
    # Fields that are always the same are left out by the encoder and put in front here, once for all.
    return _REQUIRED_DEFAULTS + body[1:]


def event_id(body: bytes) -> str | None:
    """The id of the event that a message holds; None when it is none of ours."""
    try:
        return _decoder.decode(body).id
    except (msgspec.DecodeError, ValueError):
        return None


def decode(body: bytes) -> Recorded:
    """The event of a message. Raises CorruptLog for a body that is none of ours."""
    try:
        one = _decoder.decode(body)
        position = int(one.sequence)
    except (msgspec.DecodeError, ValueError) as error:
        raise CorruptLog(f"a message in the stream is no Daybook event: {error}") from error
    return Recorded(
        position=position,
        event_id=one.id,
        stream=one.stream,
        version=one.streamversion,
        type=one.type,
        sku=one.subject,
        key=one.partitionkey,
        recorded_at=one.time,
        actor=one.actor,
        reason=one.reason,
        source=one.origin,
        correlation_id=one.correlationid,
        causation_id=one.causationid,
        command_id=one.commandid,
        event=codec.decode(one.type, bytes(one.data)),
    )
