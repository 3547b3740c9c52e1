"""Which events are to be undone: one, those of one cause, or what somebody did in a while."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from daybook import limits
from daybook.errors import InvalidValue, NotFound
from daybook.limits import Limit
from daybook.log.reader import LAST, Reader
from daybook.queries.moment import resolve
from daybook.values import check_limit

_UNDONE = ("product.", "stock.counted.", "stock.received.", "stock.adjusted.")
_ANSWERED = "listing."
"""What channels said about it goes with it: it is no deed of its own."""


class Selection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events to undo: exactly one of `position`, `correlation` and `since`."""

    position: int | None = None
    """This event."""
    correlation: str | None = None
    """All events of this cause: an import, an edit, an earlier undo."""
    since: str | None = None
    """All events after this time, ISO 8601."""
    until: str | None = None
    """With `since`: up to this time."""
    by: str | None = None
    """With `since`: of this actor."""

    def said(self) -> str:
        """The selection as the reason of its undoing has it."""
        if self.position is not None:
            return f"undo of position {self.position}"
        if self.correlation is not None:
            return f"undo of {self.correlation}"
        whose = f" by {self.by}" if self.by else ""
        return f"undo since {self.since}{f' until {self.until}' if self.until else ''}{whose}"


class Chosen(msgspec.Struct, frozen=True):
    """The events that a selection names."""

    groups: dict[str, set[int]]
    """Product group -> positions of its events that are to be undone, in the order of their first."""
    others: dict[str, int]
    """Stored type -> how many of them no undo takes back: orders, definitions, settings, people and access."""

    @property
    def events(self) -> int:
        """How many are to be undone."""
        return sum(len(one) for one in self.groups.values())


def chosen(reader: Reader, selection: Selection, limit: Limit = limits.UNDONE) -> Chosen:
    """The events. Raises InvalidValue for a selection that makes no sense, or is too large; NotFound for nothing."""
    groups: dict[str, set[int]] = {}
    others: Counter[str] = Counter()
    rows = _rows(reader, selection, limit.most + 1)
    check_limit(limit, len(rows), "select")
    for position, key, kind in rows:
        if kind.startswith(_UNDONE):
            groups.setdefault(key, set()).add(position)
        elif not kind.startswith(_ANSWERED):
            others[kind] += 1
    if not groups and not others:
        raise NotFound(f"there is nothing to undo: no event of a product is in the selection ({selection.said()})")
    return Chosen(groups, dict(others))


def _rows(reader: Reader, selection: Selection, limit: int) -> Sequence[tuple[int, str, str]]:
    ways = [name for name in ("position", "correlation", "since") if getattr(selection, name) is not None]
    if len(ways) != 1:
        raise InvalidValue("selection", "name one of position, correlation and since", ways or None)
    if selection.since is None and (selection.until is not None or selection.by is not None):
        raise InvalidValue("since", "until and by narrow down since: give it, too", None)
    if selection.position is not None:
        if not 1 <= selection.position <= reader.head():
            raise NotFound(f"the log has no position {selection.position}", position=selection.position)
        return reader.chosen_between(selection.position - 1, selection.position, None, limit)
    if selection.correlation is not None:
        return reader.chosen_of_correlation(selection.correlation, limit)
    after = resolve(reader, selection.since).position
    upto = LAST if selection.until is None else resolve(reader, selection.until).position
    if upto < after:
        raise InvalidValue("until", "must be later than since", selection.until)
    return reader.chosen_between(after, upto, selection.by, limit)
