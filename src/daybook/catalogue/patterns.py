"""Patterns of attributes: regular expressions that people write, so they may be wrong, or never come to an end."""

from functools import lru_cache

import regex

from daybook.errors import InvalidValue

SECONDS_MAX = 1.0
"""For one value. A pattern such as `(a+)+$` takes longer than anybody waits."""


def pattern_problem(pattern: str) -> str | None:
    """Why this is no pattern, or None when it is one."""
    try:
        _compiled(pattern)
    except (regex.error, MemoryError, RecursionError, OverflowError) as error:
        return f"is no regular expression: {error}"
    return None


def check_pattern(pattern: str, text: str, field: str) -> None:
    """Raises InvalidValue for a text that does not match.

    A pattern that can't be read, from an older log, holds back nothing.
    """
    if pattern_problem(pattern) is not None:
        return
    try:
        matches = _compiled(pattern).search(text, timeout=SECONDS_MAX) is not None
    except TimeoutError:
        raise InvalidValue(
            field, f"takes too long to compare with the attribute's pattern {pattern}: make the pattern simpler", text
        ) from None
    if not matches:
        raise InvalidValue(field, f"does not match the attribute's pattern {pattern}", text)


@lru_cache(maxsize=500)
def _compiled(pattern: str) -> "regex.Pattern[str]":
    return regex.compile(pattern)
