"""Text that others wrote, as Postgres can keep it."""


def storable(text: str, length_max: int | None = None) -> str:
    """The text without its NULs, which Postgres has no place for, and cut to a length."""
    return text.replace("\x00", "")[:length_max]
