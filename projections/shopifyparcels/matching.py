"""Which parcels a shop knows already, and from what the others' pieces are taken. Pure.

A shop gives fulfilments names of its own, and takes none of ours. So a parcel is known by the fulfilment's id (what the
shop's people sent is in the book under it), else by its tracking number, else by its pieces. A request whose answer was
lost is thereby found again, and nobody is told twice.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec


class Fulfilled(msgspec.Struct, frozen=True):
    """A fulfilment as the shop has it; one that took no pieces is none."""

    id: str
    tracking: frozenset[str]
    lines: Counter[str]


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel as the book has it."""

    parcel: str
    lines: dict[str, int]
    carrier: str | None = None
    tracking: str | None = None

    @property
    def tracking_info(self) -> dict[str, str]:
        """In the words of the API."""
        found = {"number": self.tracking, "company": self.carrier}
        return {name: value for name, value in found.items() if value}


class OpenLine(msgspec.Struct, frozen=True):
    """Pieces of a line that the shop means to send from one location."""

    order: str
    """The fulfilment order."""
    location: str
    id: str
    line: str
    pieces: int


class Comparison(msgspec.Struct, frozen=True):
    """What the shop lacks: pieces of parcels, and numbers of fulfilments."""

    missing: list[tuple[Parcel, Counter[str]]]
    untracked: list[tuple[str, Parcel]]


Rule = Callable[[Parcel, Fulfilled, Counter[str]], bool]
RULES: tuple[Rule, ...] = (
    lambda parcel, there, needed: there.id.rpartition("/")[2] == parcel.parcel,
    lambda parcel, there, needed: parcel.tracking is not None and parcel.tracking in there.tracking,
    lambda parcel, there, needed: _may_be(parcel, there) and there.lines == needed,
    lambda parcel, there, needed: _may_be(parcel, there) and there.lines <= needed,
)
"""The surest first. The last one finds a part: a parcel of two locations is two fulfilments."""


def compare(parcels: Sequence[Parcel], there: Sequence[Fulfilled]) -> Comparison:
    """What of the parcels the shop does not have."""
    free = list(there)
    needed = {one.parcel: Counter(one.lines) for one in parcels}
    untracked = []
    for rule in RULES:
        for one in parcels:
            for found in [each for each in free if needed[one.parcel] and rule(one, each, needed[one.parcel])]:
                if not needed[one.parcel] or not rule(one, found, needed[one.parcel]):
                    continue  # another one was its pieces
                free.remove(found)
                needed[one.parcel] = needed[one.parcel] - found.lines
                if one.tracking and not found.tracking:
                    untracked.append((found.id, one))
    return Comparison([(one, needed[one.parcel]) for one in parcels if needed[one.parcel]], untracked)


def take(needed: Counter[str], lines: Sequence[OpenLine]) -> tuple[list[list[dict[str, Any]]], Counter[str]]:
    """From which fulfilment orders the pieces go, one list for each location; and pieces that none has.

    A location that has them all is taken alone.
    """
    places = list(dict.fromkeys(one.location for one in lines))
    places.sort(key=lambda place: sum((needed - _at(place, lines)).values()))
    left, chosen = Counter(needed), []
    for place in places:
        by_order: dict[str, list[dict[str, Any]]] = {}
        for one in lines:
            pieces = min(left[one.line], one.pieces) if one.location == place else 0
            if pieces > 0:
                left[one.line] -= pieces
                by_order.setdefault(one.order, []).append({"id": one.id, "quantity": pieces})
        if by_order:
            chosen.append(
                [{"fulfillmentOrderId": own, "fulfillmentOrderLineItems": items} for own, items in by_order.items()]
            )
    return chosen, +left


def _at(place: str, lines: Sequence[OpenLine]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in lines:
        if one.location == place:
            found[one.line] += one.pieces
    return found


def _may_be(parcel: Parcel, there: Fulfilled) -> bool:
    """Another number is another parcel, be its pieces the same."""
    return bool(there.lines) and (parcel.tracking is None or not there.tracking)
