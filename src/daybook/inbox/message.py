"""One message of the inbox: a command in a CloudEvent. Pure.

Source: CloudEvents 1.0, structured content mode in JSON,
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from typing import Any, Literal
from uuid import UUID, uuid5

import msgspec

from daybook import limits
from daybook.commands.describe import DescribeProduct
from daybook.commands.schedules import PlannableChange
from daybook.errors import InvalidValue
from daybook.stream.subjects import answers_to
from daybook.values import check_text, parse_sku

NAMES = UUID("5d0f0f0c-6f0e-5a55-9a50-696e626f7821")
"""Of command ids that are made of who sent a message, and what he called it."""
InboxCommand = PlannableChange | DescribeProduct
"""What can be sent: everything that is about one product."""
TYPES = tuple(sorted(str(one.__struct_config__.tag) for one in InboxCommand.__args__))


class CommandEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The CloudEvent. `id` and `source` name it; `type` is the command, `data` its fields without the type."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str | None = None
    """The SKU, when it is said; it must be the command's."""
    answerto: str | None = None
    """The NATS subject on which it is answered, below `daybook-answer.LOGIN.`."""
    correlationid: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


class InboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that can be decided on."""

    sequence: int
    sender: str
    event: CommandEvent
    command: InboxCommand

    @property
    def sku(self) -> str:
        """What it is about: messages about one SKU are taken in their order."""
        return self.command.sku

    @property
    def command_id(self) -> UUID:
        """The same for the same message, however often it comes."""
        return id_of(self.sender, self.event)


_events = msgspec.json.Decoder(CommandEvent)


def id_of(sender: str, event: CommandEvent) -> UUID:
    """The command id of what a sender calls so: one that comes again is known by it."""
    return uuid5(NAMES, f"{len(sender)}:{sender}{len(event.source)}:{event.source}{event.id}")


def event_of(sender: str, body: bytes) -> CommandEvent:
    """The CloudEvent of a message. Raises InvalidValue."""
    if len(body) > limits.INBOX_MESSAGE.most:
        raise InvalidValue("message", f"has {len(body):,} bytes; at most {limits.INBOX_MESSAGE.most:,} are taken")
    try:
        event = _events.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidValue("message", f"is no CloudEvent 1.0: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidValue("message", f"is no JSON: {error}") from error
    for name in ("id", "source", "type"):
        check_text(getattr(event, name), name, limits.NAME)
    if event.correlationid is not None:
        check_text(event.correlationid, "correlationid", limits.NAME)
    if event.answerto is not None and not _may_be_answered(sender, event.answerto):
        raise InvalidValue("answerto", f"must be a subject below {answers_to(sender)[:-1]}", event.answerto)
    return event


def _may_be_answered(sender: str, subject: str) -> bool:
    words = subject.split(".")
    plain = all(one and one.isascii() and one.isprintable() and not set(one) & set("*> ") for one in words)
    return plain and subject.startswith(answers_to(sender)) and len(subject) <= limits.NAME.most


def command_of(event: CommandEvent) -> InboxCommand:
    """The command of a CloudEvent. Raises InvalidValue, naming the field."""
    if event.type not in TYPES:
        raise InvalidValue("type", f"there is no command of this type; there are: {', '.join(TYPES)}", event.type)
    try:
        said: Any = msgspec.json.decode(bytes(event.data))
        if not isinstance(said, dict):
            raise InvalidValue("data", "must be an object with the command's fields")
        if said.get("type", event.type) != event.type:
            raise InvalidValue("data.type", f"says something else than the type, {event.type}", said["type"])
        command: InboxCommand = msgspec.convert(said | {"type": event.type}, InboxCommand)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        field = f"data{path.rstrip('`')}" if path else "data"
        raise InvalidValue(field, f"{reason[:1].lower()}{reason[1:]}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidValue("data", f"is no JSON: {error}") from error
    parse_sku(command.sku, "data.sku")
    if event.subject is not None and event.subject != command.sku:
        raise InvalidValue("subject", f"must be the SKU of the command, {command.sku}, or be left out", event.subject)
    return command


def message_of(sequence: int, sender: str, body: bytes) -> InboxMessage:
    """A message, decoded whole. Raises InvalidValue, naming the field."""
    event = event_of(sender, body)
    return InboxMessage(sequence=sequence, sender=sender, event=event, command=command_of(event))
