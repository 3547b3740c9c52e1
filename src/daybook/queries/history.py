"""A product's history: what changed, who did it, why, and which channels saw it."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.errors import InvalidValue
from daybook.events import ListingEvent, ProductDelisted, ProductListed, Recorded
from daybook.log.reader import Reader
from daybook.queries.fields import FieldChange, Fields, differences, own
from daybook.queries.groups import fold, is_receipt, key_of, related
from daybook.queries.receipts import Acknowledgement, Receipts
from daybook.queries.sentences import sentence

LIMIT_MAX = 1000


class HistoryChange(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a product or of its stock, with what it did."""

    position: int
    recorded_at: datetime
    sku: str
    type: str
    """The event's stored name, `product.price_changed.v1`."""
    sentence: str
    """What happened, for a person: `price default EUR 19.99 → 17.99`."""
    actor: str
    reason: str | None
    source: str
    fields: list[FieldChange]
    channels: list[Acknowledgement]
    """What the channels said about the state that this change made; see `Acknowledgement`."""
    event_id: str
    stream: str
    version: int
    correlation_id: str
    causation_id: str | None
    command_id: str
    access: str | None = None
    """The key and the grants that it was done with; null for what came from the machine itself."""


def history(
    reader: Reader,
    sku: str,
    *,
    limit: int = 100,
    after: int = 0,
    inherited: bool = False,
    receipts: bool = False,
    channels: frozenset[str] | None = None,
) -> list[HistoryChange]:
    """The product's changes and those of its stock after a position, oldest first, at most `limit` (1 to 1000).

    `inherited` adds the changes of its parents, whose values it may show. `receipts` adds what channels answered, as
    entries of their own. The last position of a full page is the next `after`. Raises InvalidValue and NotFound.
    `channels`: only what these say is told; None for all.
    Two indexed statements; the group is folded from its beginning each time.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidValue("limit", f"must be between 1 and {LIMIT_MAX}", limit)
    events = reader.of_key(key_of(reader, sku))
    group = fold(events)
    assert group is not None
    skus = {product.sku for product in group.chain(sku)} if inherited else {sku}
    known = Receipts(events)

    @cache
    def concerned(each: str) -> frozenset[str]:
        return related(group, each)

    # A command's events become one state; the payloads that show it name the position of the last of them.
    ends = {one.command_id: one.position for one in events if not is_receipt(one)}
    changes: list[HistoryChange] = []
    for recorded, fields in _with_fields(events, skus):
        if recorded.position <= after or (is_receipt(recorded) and not receipts) or not _told(recorded, channels):
            continue
        seen = [] if is_receipt(recorded) else known.of(ends[recorded.command_id], concerned(recorded.sku or sku))
        seen = [one for one in seen if channels is None or one.channel in channels]
        changes.append(_change(recorded, fields, seen))
        if len(changes) == limit:
            break
    return changes


def _told(recorded: Recorded, channels: frozenset[str] | None) -> bool:
    """Whether it is about no channel, or about one that may be told of."""
    about = isinstance(recorded.event, ListingEvent | ProductListed | ProductDelisted)
    return channels is None or not about or recorded.event.channel in channels  # type: ignore[union-attr, operator]


def _with_fields(events: list[Recorded], skus: set[str]) -> Iterator[tuple[Recorded, list[FieldChange]]]:
    group: Group | None = None
    before: dict[str, Fields] = {}
    for one in events:
        group = fold_group(group, one)
        if one.sku not in skus:
            continue
        now = before.get(one.sku, {}) if is_receipt(one) else own(group, one.sku)
        yield one, differences(before.get(one.sku, {}), now)
        before[one.sku] = now


def _change(recorded: Recorded, fields: list[FieldChange], seen: list[Acknowledgement]) -> HistoryChange:
    return HistoryChange(
        position=recorded.position,
        recorded_at=recorded.recorded_at,
        sku=recorded.sku or "",
        type=recorded.type,
        sentence=sentence(recorded.event, fields),
        actor=recorded.actor,
        reason=recorded.reason,
        source=recorded.source,
        fields=fields,
        channels=seen,
        event_id=recorded.event_id,
        stream=recorded.stream,
        version=recorded.version,
        correlation_id=recorded.correlation_id,
        causation_id=recorded.causation_id,
        command_id=recorded.command_id,
        access=recorded.access,
    )
