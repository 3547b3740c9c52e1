"""What takes chosen events of a product group back: pure, from all of the group's events.

What a product says (texts, prices, pictures, where it is sold) goes back to what it would be without the chosen
events. Where somebody else changed the same field later, that stands on them: it is told, and left or overruled as
asked. Pieces in stock move: an event's inverse moves as many back, so that sales in between stay sold.
A product that a chosen event created is discontinued and taken off every channel; what it says stays readable.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.commands import AdjustStock, DescribeProduct
from daybook.commands.described import described
from daybook.events import ProductCreated, Recorded, StockAdjusted, StockCounted, StockEvent, StockReceived
from daybook.queries.fields import FieldChange, Fields, differences, own
from daybook.queries.groups import is_receipt

SOURCE = "undo"
"""Of the events that an undo appends."""
Newer = Literal["refuse", "skip", "force"]
"""Where somebody changed a field since: refuse the whole, leave the field, or set it back all the same."""
_MOVED = (StockCounted, StockReceived, StockAdjusted)
_FIXED = ("kind", "family", "parent", "axes", "gtin_problem")


class ChangedSince(msgspec.Struct, frozen=True, kw_only=True):
    """A field that a later event changed, which is not among the chosen ones."""

    field: str
    position: int
    actor: str
    value: Any
    """What it is now."""


class Inverse(msgspec.Struct, frozen=True, kw_only=True):
    """What takes the chosen events of one product back."""

    sku: str
    changes: tuple[FieldChange, ...]
    """The fields that would differ: `before` is now, `after` is then."""
    newer: tuple[ChangedSince, ...]
    wish: DescribeProduct | None
    """What brings all but the stock there."""
    pieces: tuple[tuple[str, AdjustStock], ...]
    """(id of the event that it takes back, the movement)."""


class _Field:
    """A field that a chosen event changed."""

    def __init__(self, first: Any) -> None:
        self.first = self.base = first
        """Before the first chosen event; and what it would be without any of them."""
        self.newer: Recorded | None = None


class _Past:
    """A group's events, walked through once."""

    def __init__(self, events: Sequence[Recorded], chosen: set[int]) -> None:
        self.now: dict[str, Fields] = {}
        self.fields: dict[tuple[str, str], _Field] = {}
        self.created: dict[str, Recorded | None] = {}
        """SKU that a chosen event created -> the last change of it that is not among them, nor an undo's."""
        self.moved: dict[str, list[tuple[Recorded, str, int]]] = {}
        """SKU -> chosen events of its stock, the location, and by how much each moved it."""
        self.counted: dict[tuple[str, str], Recorded] = {}
        """(SKU, location) -> the last count that is not among them."""
        self.undone = _undone(events)
        group: Group | None = None
        for one in events:
            group = fold_group(group, one)
            if one.sku is None or is_receipt(one):
                continue
            now = own(group, one.sku)
            changes = differences(self.now.get(one.sku, {}), now)
            self.now[one.sku] = now
            self._take(one, one.sku, changes, one.position in chosen)

    def _take(self, one: Recorded, sku: str, changes: Iterable[FieldChange], mine: bool) -> None:
        if mine and isinstance(one.event, ProductCreated):
            self.created[sku] = None
        elif not mine and sku in self.created and one.source != SOURCE:
            self.created[sku] = one
        for change in changes:
            if isinstance(one.event, _MOVED):
                self._move(one, sku, change, mine)
            elif isinstance(one.event, StockEvent):
                continue  # what orders do has its own way back: cancel, return
            elif change.field not in _FIXED:
                self._set(one, (sku, change.field), change, mine)

    def _set(self, one: Recorded, where: tuple[str, str], change: FieldChange, mine: bool) -> None:
        if mine:
            self.fields.setdefault(where, _Field(change.before)).newer = None
        elif where in self.fields:
            self.fields[where].base, self.fields[where].newer = change.after, one

    def _move(self, one: Recorded, sku: str, change: FieldChange, mine: bool) -> None:
        location = change.field.removeprefix("stock.")
        if mine:
            self.moved.setdefault(sku, []).append((one, location, (change.after or 0) - (change.before or 0)))
        elif isinstance(one.event, StockCounted):
            self.counted[sku, location] = one

    def inverse(self, sku: str, newer: Newer) -> Inverse:
        """What takes the chosen events of a product back."""
        if sku in self.created:
            wanted, later = self._unmade(sku, newer)
        else:
            wanted, later = self._fields_back(sku, newer)
        pieces, counted = self._pieces_back(sku, newer)
        now = self.now[sku]
        then = {name: value for name, value in {**now, **wanted}.items() if value is not None}
        for _, move in pieces:
            name = f"stock.{move.location}"
            then[name] = then.get(name, 0) + move.delta
        wish = described(sku, wanted) if wanted else None
        changes = tuple(differences(now, then))
        return Inverse(sku=sku, changes=changes, newer=(*later, *counted), wish=wish, pieces=pieces)

    def _fields_back(self, sku: str, newer: Newer) -> tuple[Fields, list[ChangedSince]]:
        wanted: Fields = {}
        later: list[ChangedSince] = []
        for (whose, name), field in self.fields.items():
            value = self.now[sku].get(name) if whose == sku else None
            if whose != sku or _same(name, value, field.base if field.newer is None else field.first):
                continue
            if field.newer is not None:
                later.append(_since(name, field.newer, value))
            if field.newer is None or newer == "force":
                wanted[name] = field.base if field.newer is None else field.first
        return wanted, later

    def _unmade(self, sku: str, newer: Newer) -> tuple[Fields, list[ChangedSince]]:
        now, last = self.now[sku], self.created[sku]
        sold = {name: None for name, on in now.items() if name.startswith("channels.") and on}
        if now.get("discontinued") and not sold:
            return {}, []
        later = [] if last is None else [_since("kind", last, now.get("kind"))]
        return ({"discontinued": True} | sold if last is None or newer == "force" else {}), later

    def _pieces_back(self, sku: str, newer: Newer) -> tuple[tuple[tuple[str, AdjustStock], ...], list[ChangedSince]]:
        moves: list[tuple[str, AdjustStock]] = []
        later: dict[str, ChangedSince] = {}
        for one, location, delta in self.moved.get(sku, ()):
            count = self.counted.get((sku, location))
            overruled = count is not None and count.position > one.position
            if delta == 0 or one.event_id in self.undone:
                continue
            if overruled and count is not None:
                name = f"stock.{location}"
                later[name] = _since(name, count, self.now[sku].get(name))
            if not overruled or newer == "force":
                moves.append((one.event_id, AdjustStock(sku=sku, location=location, delta=-delta)))
        return tuple(moves), list(later.values())


def inverses(events: Sequence[Recorded], chosen: set[int], newer: Newer = "refuse") -> list[Inverse]:
    """What takes the chosen events of a group back, product by product; products on which nothing is left are absent.

    Models come before what is made of them, as in the log. Applied, and asked again, nothing is left.
    """
    past = _Past(events, chosen)
    skus = dict.fromkeys(one.sku for one in events if one.position in chosen and one.sku is not None)
    found = [past.inverse(sku, newer) for sku in skus if sku in past.now]
    return [one for one in found if one.changes or one.newer]


def _undone(events: Iterable[Recorded]) -> set[str]:
    """Ids of the movements of stock that an undo has taken back, and no later undo has brought again."""
    found: set[str] = set()
    # An undo comes after what it takes back: from the end, each is known to hold or not before what it is about.
    for one in reversed(list(events)):
        took_back = one.causation_id if one.source == SOURCE and isinstance(one.event, StockEvent) else None
        if took_back is not None and one.event_id not in found:
            found.add(took_back)
    return found


def _same(field: str, one: Any, other: Any) -> bool:
    """Whether two values say the same: a channel that was never named and one that it was taken off are alike."""
    return bool(one) == bool(other) if field.startswith("channels.") else one == other


def _since(field: str, later: Recorded, value: Any) -> ChangedSince:
    return ChangedSince(field=field, position=later.position, actor=later.actor, value=value)
