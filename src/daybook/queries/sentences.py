"""What happened, in one line for a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from daybook.events import (
    AttributeDefined,
    AttributeOptionsGiven,
    CategoryDefined,
    ChannelAdded,
    ChannelConfigured,
    ChannelPaused,
    ChannelPruned,
    ChannelRemoved,
    ChannelResumed,
    ChannelResynced,
    ChannelRetried,
    ChannelSwitched,
    Event,
    EventDiscarded,
    FacetReceipt,
    FamilyDefined,
    LineQuantity,
    ListingAccepted,
    ListingConfirmed,
    ListingRejected,
    OperationEvent,
    OrderCancelled,
    OrderEvent,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    OrderShipped,
    ParcelAnnounced,
    ParcelCancelled,
    PersonAdded,
    PersonChanged,
    PersonDisclosed,
    PersonErased,
    PolicyEvent,
    PolicyPaused,
    PolicyResumed,
    PolicyRetried,
    ProductCreated,
    ScheduleEvent,
    ScheduleFellDue,
    ScheduleMoved,
    SchedulePlanned,
    ScheduleRefused,
    ScheduleWithdrawn,
    StockAdjusted,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
    TextApproved,
    TextDrafted,
    TextEvent,
    TextRejected,
    TextRetried,
)
from daybook.orders.state import total_of
from daybook.product.state import slot_parts
from daybook.queries.fields import FieldChange
from daybook.values import Money

TEXT_SHOWN = 60
"""Characters of a text that a sentence shows: the whole one is in the field's change."""


def sentence(event: Event, changes: Sequence[FieldChange]) -> str:
    """The event in plain words; `changes` are the fields that it changed, with their values before and after."""
    match event:
        case ProductCreated():
            return _created(event)
        case ListingAccepted(channel=channel):
            return f"{channel} accepted {_facets(event.facets)}"
        case ListingConfirmed(channel=channel):
            return f"{channel} confirmed {_facets(event.facets)}"
        case ListingRejected(channel=channel):
            why = "; ".join(f"{reason.code} {reason.message}".strip() for reason in event.reasons)
            return f"{channel} rejected {_facets(event.facets)}: {why or 'no reason given'}"
        case AttributeOptionsGiven(code=code, options=options):
            return f"{len(options)} options of attribute {code} given"
        case AttributeDefined(code=code) | FamilyDefined(code=code) | CategoryDefined(code=code):
            return f"{type(event).__name__.removesuffix('Defined').lower()} {code} defined"
        case ChannelConfigured(name=name):
            return f"channel {name} configured"
        case ChannelAdded(name=name, kind=kind):
            return f"channel {name} added, of the kind {kind}"
        case ChannelRemoved(name=name):
            return f"channel {name} removed"
        case ParcelAnnounced(shipper=shipper, tracking=tracking):
            return f"a parcel announced to {shipper}" + (f", to be followed as {tracking}" if tracking else "")
        case ParcelCancelled(shipper=shipper):
            return f"a parcel cancelled at {shipper}"
        case PersonAdded(fields=fields):
            return f"a person added, with {', '.join(fields) or 'nothing known yet'}"
        case PersonChanged(fields=fields):
            return f"{', '.join(fields)} of a person changed"
        case PersonDisclosed(fields=fields, exported=exported):
            return f"{', '.join(fields) or 'nothing'} of a person {'exported' if exported else 'shown'}"
        case PersonErased():
            return "a person erased"
        case EventDiscarded(projection=projection, position=position):
            return f"{projection} leaves out the event at position {position}"
    if isinstance(event, OrderEvent):
        return of_order(event)
    if isinstance(event, ScheduleEvent):
        return of_schedule(event)
    if isinstance(event, TextEvent):
        return of_text(event)
    if isinstance(event, PolicyEvent):
        return of_policy(event)
    if isinstance(event, OperationEvent):
        return of_operation(event)
    return in_words(changes) + _addition(event, changes)


def of_schedule(event: ScheduleEvent) -> str:
    """What became of a change that holds from a moment on."""
    match event:
        case SchedulePlanned(due_at=due_at, change=change):
            return f"{str(change['type']).replace('_', ' ')} planned for {due_at:%Y-%m-%d %H:%M:%S} UTC"
        case ScheduleMoved(due_at=due_at):
            return f"moved to {due_at:%Y-%m-%d %H:%M:%S} UTC"
        case ScheduleWithdrawn():
            return "withdrawn before it was due"
        case ScheduleFellDue(due_at=due_at):
            return f"fell due at {due_at:%Y-%m-%d %H:%M:%S} UTC"
        case ScheduleRefused(reason=reason):
            return f"refused when it fell due: {reason}"


def of_text(event: TextEvent) -> str:
    """What became of a draft."""
    where = " ".join(one for one in (event.attribute, event.locale, event.channel) if one)
    match event:
        case TextDrafted(engine=engine, source_locale=source, characters=characters, problem=problem):
            wrong = f"; a person has to look: {problem}" if problem else ""
            return f"{where} drafted by {engine} from {source}, {characters:,} characters{wrong}"
        case TextApproved(engine=engine):
            return f"{where} of {engine} approved"
        case TextRejected(engine=engine):
            return f"{where} of {engine} rejected"
        case TextRetried(engine=engine):
            return f"another {where} asked of {engine}"


def of_policy(event: PolicyEvent) -> str:
    """What somebody said to a policy."""
    match event:
        case PolicyPaused(name=name):
            return f"the policy {name} paused"
        case PolicyResumed(name=name, version=version):
            return f"the policy {name} resumed, with version {version}"
        case PolicyRetried(name=name, groups=groups):
            return f"the policy {name} retried{_chosen(keys=event.keys)}: {groups} parked groups"


def of_operation(event: OperationEvent) -> str:
    """What somebody did to a channel."""
    match event:
        case ChannelPaused(name=name):
            return f"{name} paused"
        case ChannelResumed(name=name):
            return f"{name} resumed"
        case ChannelRetried(name=name, groups=groups, facets=facets):
            which = _chosen(keys=event.keys, skus=event.skus, code=event.code)
            return f"{name} retried{which}: {groups} parked groups, {facets} rejected facets"
        case ChannelResynced(name=name, facets=facets):
            which = _chosen(skus=event.skus, keys=event.keys, since=event.since, locale=event.locale)
            return f"{name} resynced{which}: {'what it shows differently' if facets is None else f'{facets} facets'}"
        case ChannelPruned(name=name, generations=generations):
            return f"{name} pruned of generation {', '.join(map(str, generations))}"
        case ChannelSwitched(name=name, generation=generation, before=before, facets=facets):
            return f"{name} switched from generation {before} to {generation}: {facets} facets differ"


def _chosen(**given: Sequence[str] | int | None) -> str:
    """` (skus A, B; code 4003-2)`; nothing when all of it was chosen."""
    said = [
        f"{name} {value if isinstance(value, int | str) else ', '.join(value)}"
        for name, value in given.items()
        if value not in (None, ())
    ]
    return f" ({_cut('; '.join(said))})" if said else ""


def of_order(event: OrderEvent) -> str:
    """What happened to an order."""
    match event:
        case OrderPlaced(lines=lines, currency=currency):
            items = ", ".join(f"{one.quantity} × {one.sku}" for one in lines)
            oversold = sum(one.oversold for one in event.allocations)
            return (
                f"ordered on {event.channel}: {_cut(items)}, for {Money(total_of(event), currency)}"
                f"{f', {oversold} oversold' if oversold else ''}"
            )
        case OrderPaid(amount=amount):
            return f"paid {amount}"
        case OrderRefunded(amount=amount):
            return f"refunded {amount}"
        case OrderCancelled(lines=lines, cause=cause):
            return f"cancelled {_pieces(lines)} ({cause.replace('_', ' ')})"
        case OrderShipped(lines=lines, parcel=parcel):
            by = " ".join(part for part in (event.carrier, event.tracking) if part)
            return f"shipped {_pieces(lines)} in parcel {parcel}{f' ({by})' if by else ''}"
        case OrderReturned(lines=lines):
            return f"returned {_pieces(lines)}{'' if event.restocked else ', not to be sold again'}"


def _pieces(lines: Sequence[LineQuantity]) -> str:
    return ", ".join(f"{one.quantity} of line {one.line}" for one in lines)


def in_words(changes: Sequence[FieldChange]) -> str:
    """The changes of a product's fields, from what to what."""
    said = "; ".join(_field(one) for one in changes if one.field != "gtin_problem" or len(changes) == 1)
    return said or "nothing changed"


def _addition(event: Event, changes: Sequence[FieldChange]) -> str:
    match event:
        case StockReceived(quantity=quantity):
            return f" ({quantity} received)"
        case StockAdjusted(delta=delta):
            return f" (adjusted by {delta:+d})"
        case StockReserved(order=order, oversold=oversold):
            return f" (order {order}{f', {oversold} oversold' if oversold else ''})"
        case StockReleased(order=order) | StockShipped(order=order) | StockReturned(order=order):
            return f" (order {order})"
    problem = next((one.after for one in changes if one.field == "gtin_problem" and one.after), None)
    return f" ({problem})" if problem else ""


def _created(event: ProductCreated) -> str:
    kind = {"product": "", "model": " as a model", "variant": f" as a variant of {event.parent}"}[event.kind]
    family = f" in family {event.family}" if event.family else ""
    axes = f", varying by {', '.join(event.axes)}" if event.axes else ""
    return f"created{kind}{family}{axes}"


def _field(change: FieldChange) -> str:
    noun, _, rest = change.field.partition(".")
    arrow = f"{_shown(change.before)} → {_shown(change.after)}"
    match noun:
        case "attributes":
            attribute, locale, channel = slot_parts(rest)
            where = ", ".join(part for part in (locale, channel) if part)
            return f"{attribute}{f' ({where})' if where else ''} {arrow}"
        case "prices":
            price_list, _, currency = rest.rpartition(".")
            return f"price {price_list} {currency} {_plain(change.before)} → {_plain(change.after)}"
        case "channels":
            return f"{'listed on' if change.after else 'delisted from'} {rest}"
        case "discontinued":
            return "discontinued" if change.after else "reinstated"
        case "media":
            return _media(rest, change)
        case "categories":
            return f"categories {_plain(change.before)} → {_plain(change.after)}"
        case _:
            return f"{change.field.replace('.', ' ')} {_plain(change.before)} → {_plain(change.after)}"


def _media(media_id: str, change: FieldChange) -> str:
    item: Mapping[str, Any] = change.after or change.before
    verb = "removed" if change.after is None else "added" if change.before is None else "replaced"
    name = "" if media_id == item["url"] else f" {media_id}"
    return f"{item['role']}{name} {verb}: {_cut(item['url'])}"


def _facets(facets: Sequence[FacetReceipt]) -> str:
    names = ", ".join(one.facet if one.hash is not None else f"removal of {one.facet}" for one in facets)
    positions = sorted({one.position for one in facets})
    return f"{names or 'nothing'} as of position {', '.join(map(str, positions))}" if positions else names or "nothing"


def _shown(value: Any) -> str:
    """A value with its type in sight: texts are quoted."""
    return f"'{_cut(value)}'" if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value)) or "none"
        case {"amount": amount, "unit": unit}:
            return f"{amount} {unit}"
        case _:
            return _cut(str(value))


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= TEXT_SHOWN else f"{flat[: TEXT_SHOWN - 1]}…"
