"""Which channels have seen a change: the receipts in the log, looked at from the change's side.

A receipt names, for each facet, the position of the change whose state its payload showed. A channel is brought to a
state and not sent a history, so many a change is never sent by itself: a later state that includes it was.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from daybook.events import Event, ListingAccepted, ListingConfirmed, ListingEvent, ListingRejected, Recorded, Rejection

Outcome = Literal["accepted", "confirmed", "rejected", "superseded"]


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel has said about one SKU's listing as of one change; the newest word for each facet.

    `superseded`: the channel was never shown exactly this state; its next word was about the state of
    `superseded_by`, a later position, which includes this change unless that undid it.
    """

    channel: str
    sku: str
    outcome: Outcome
    facets: tuple[str, ...] = ()
    at: datetime
    """When the channel's word was recorded."""
    receipt: int
    """The receipt's own position."""
    reasons: tuple[Rejection, ...] = ()
    superseded_by: int | None = None


class Receipts:
    """A group's receipts, ready to be asked by position."""

    def __init__(self, events: Iterable[Recorded]) -> None:
        self._exact: dict[int, dict[tuple[str, str, str], Recorded]] = {}
        self._shown: dict[tuple[str, str], list[tuple[int, Recorded]]] = {}
        for one in events:
            if not isinstance(one.event, ListingEvent):
                continue
            for facet in one.event.facets:
                word = (one.event.channel, one.event.sku, facet.facet)
                self._exact.setdefault(facet.position, {})[word] = one
                self._shown.setdefault(word[:2], []).append((facet.position, one))
        for shown in self._shown.values():
            shown.sort(key=lambda pair: (pair[0], pair[1].position))

    def of(self, position: int, skus: Iterable[str]) -> list[Acknowledgement]:
        """What the channels said about the change at this position, in order of channel and SKU.

        `skus`: those whose listings the change may show in. A channel that said nothing yet is not named.
        """
        exact = self._exact.get(position, {})
        told = {(channel, sku) for channel, sku, _ in exact}
        said = [_said(channel, sku, exact) for channel, sku in told]
        found = [one for words in said for one in words]
        for (channel, sku), shown in self._shown.items():
            after = bisect_right(shown, position, key=lambda pair: pair[0])
            if (channel, sku) not in told and sku in skus and after < len(shown):
                later, receipt = shown[after]
                found.append(
                    Acknowledgement(
                        channel=channel,
                        sku=sku,
                        outcome="superseded",
                        at=receipt.recorded_at,
                        receipt=receipt.position,
                        superseded_by=later,
                    )
                )
        return sorted(found, key=lambda one: (one.channel, one.sku, one.receipt))


def _said(channel: str, sku: str, exact: dict[tuple[str, str, str], Recorded]) -> list[Acknowledgement]:
    by_receipt: dict[int, tuple[Recorded, list[str]]] = {}
    for (named, whose, facet), receipt in exact.items():
        if (named, whose) == (channel, sku):
            by_receipt.setdefault(receipt.position, (receipt, []))[1].append(facet)
    return [_acknowledgement(channel, sku, receipt, facets) for receipt, facets in by_receipt.values()]


def outcome_of(event: Event) -> Outcome:
    """What a receipt says in a word."""
    match event:
        case ListingConfirmed():
            return "confirmed"
        case ListingAccepted():
            return "accepted"
        case _:
            return "rejected"


def _acknowledgement(channel: str, sku: str, receipt: Recorded, facets: Sequence[str]) -> Acknowledgement:
    event = receipt.event
    return Acknowledgement(
        channel=channel,
        sku=sku,
        outcome=outcome_of(event),
        facets=tuple(facets),
        at=receipt.recorded_at,
        receipt=receipt.position,
        reasons=event.reasons if isinstance(event, ListingRejected) else (),
    )
