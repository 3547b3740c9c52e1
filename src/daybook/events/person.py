"""What happens to what is known of a person. Never what it is: an event is kept for ever, a person may be forgotten."""

import msgspec


class PersonAdded(msgspec.Struct, frozen=True, kw_only=True):
    """Something is known of a person from now on. The values are sealed in the vault, the event names the fields."""

    person: str
    """The person's id, which says nothing of him or her."""
    fields: tuple[str, ...]
    """Which ones have a value, in order of their names: `mail`, `name`."""
    revision: str
    """Which sealed row of the vault holds the values."""


class PersonChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Some fields of a person have other values, or none any more. What they were before is not kept."""

    person: str
    fields: tuple[str, ...]
    """Those that changed, in order of their names."""
    revision: str
    """Which sealed row of the vault holds all values now."""


class PersonDisclosed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was shown, or given a file of, what is known of a person: the event's actor, for the event's reason."""

    person: str
    fields: tuple[str, ...]
    """Those that were disclosed, in order of their names."""
    exported: bool = False
    """Everything was given as a file, and not some fields shown."""


class PersonErased(msgspec.Struct, frozen=True, kw_only=True):
    """The key of a person was destroyed: what was known can't be read any more, in no copy and no backup of it."""

    person: str
