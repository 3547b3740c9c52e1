"""Long lists, cut so that each part fits into an event."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from daybook.limits import PART_BYTES_MAX

T = TypeVar("T", bound=msgspec.Struct)


def in_parts(items: Sequence[T], bytes_max: int = PART_BYTES_MAX) -> list[tuple[T, ...]]:
    """The items in order, in runs of at most so many bytes as JSON; one that is larger stands alone."""
    parts: list[tuple[T, ...]] = []
    part: list[T] = []
    size = 0
    for item in items:
        more = len(msgspec.json.encode(item)) + 1
        if part and size + more > bytes_max:
            parts.append(tuple(part))
            part, size = [], 0
        part.append(item)
        size += more
    return [*parts, tuple(part)] if part else parts
