"""A moment of the past, as a position in the log: what every as-of question is asked at."""

from datetime import UTC, datetime

import msgspec

from daybook.errors import InvalidValue
from daybook.log.reader import Reader


class Moment(msgspec.Struct, frozen=True):
    """The log up to and with `position`. `at` is the time that was asked for, in UTC; None when none was."""

    position: int
    at: datetime | None = None


def resolve(reader: Reader, at: str | datetime | None = None, position: int | None = None) -> Moment:
    """The moment that a time or a position names; the head of the log when neither is given.

    A time is ISO 8601: a date (`2026-03-01`, the first instant of that day) or a date with a time. Without a zone it is
    read as UTC. An event that was recorded at exactly that time is part of the moment. A time in the future is the
    head. Position 0 is the empty log. Raises InvalidValue for both at once, for a malformed time, and for a position
    that the log has not reached. One indexed statement.
    """
    if at is not None and position is not None:
        raise InvalidValue("position", "give a time or a position, not both", position)
    if at is not None:
        time = _time(at)
        return Moment(reader.position_at(time), time)
    head = reader.head()
    if position is None:
        return Moment(head)
    if not 0 <= position <= head:
        raise InvalidValue("position", f"must be between 0 and {head}, the log's last position", position)
    return Moment(position)


def _time(given: str | datetime) -> datetime:
    try:
        time = datetime.fromisoformat(given.strip()) if isinstance(given, str) else given
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidValue(
            "at",
            f"{given!r} is no time; write it like 2026-03-01 or 2026-03-01T09:00+01:00 (without a zone: UTC)",
            given,
        ) from None
