"""Every error that Daybook raises on purpose.

One root. An error has a stable `code` for machines, a message for people and `details` that name the field and
the reason. The message says what is wrong and, where there is one, the next step. Edges translate `code` once:
`web/problems.py` to a status, `cli/main.py` to an exit code; nothing below them knows either.
"""

from typing import ClassVar


class DaybookError(Exception):
    """Something that Daybook was asked to do can't be done."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] = details


class InvalidValue(DaybookError):
    """A value that was handed in is malformed. `details["field"]` names it."""

    code = "invalid_value"

    def __init__(self, field: str, reason: str, value: object = None, **details: object) -> None:
        super().__init__(f"{field}: {reason}", field=field, reason=reason, value=value, **details)


class NotFound(DaybookError):
    """Something was named that the book has never heard of."""

    code = "not_found"


class Gone(DaybookError):
    """Something was named that there was, and that was erased for good."""

    code = "gone"


class Refused(DaybookError):
    """The command is well formed, but the present state forbids it (a business rule)."""

    code = "refused"


class OutOfStock(Refused):
    """An order asks for more pieces than can be sold. `details` name the SKU and how many there are."""

    code = "out_of_stock"


class VersionConflict(DaybookError):
    """The stream moved on since the caller looked at it."""

    code = "version_conflict"


class CommandIdReused(DaybookError):
    """A command id came again with another intent. A retry must repeat the same command."""

    code = "command_id_reused"


class BadConfiguration(DaybookError):
    """A setting is missing or makes no sense."""

    code = "bad_configuration"


class Unavailable(DaybookError):
    """A server that is needed can't be reached just now. Safe to try again."""

    code = "unavailable"


class NotPermitted(DaybookError):
    """Postgres refuses it: Daybook's role may only read, or the database takes no changes."""

    code = "not_permitted"


class Unauthenticated(DaybookError):
    """Nobody knows who asks: no key was shown, or one that is not taken."""

    code = "unauthenticated"


class Forbidden(DaybookError):
    """Who asks is known, and may not do this, or not here. `details["permission"]` names what is lacking."""

    code = "forbidden"


class StreamAhead(DaybookError):
    """The JetStream stream holds positions that the log does not have: the log was restored to an earlier moment."""

    code = "stream_ahead"


class StreamStopped(DaybookError):
    """The JetStream stream is not there, or does not follow the log. The log itself is well."""

    code = "stream_stopped"


class CorruptLog(DaybookError):
    """The log breaks one of its promises: a hole, an unknown event, a body that does not decode."""

    code = "corrupt_log"
