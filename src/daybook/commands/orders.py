"""Intents about an order. What it does to the stock of its products is decided and appended with it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from daybook import limits
from daybook.commands.decision_view import Change, DecisionView
from daybook.commands.stock import DEFAULT_LOCATION
from daybook.errors import Gone, InvalidValue, NotFound, Refused
from daybook.events import CancelCause, ChannelConfigured, OrderLine, OrderPlaced, PersonAdded
from daybook.events.envelope import ORDER_KEY, PERSON_KEY
from daybook.orders import decisions
from daybook.orders.allocation import allocate
from daybook.orders.decisions import Decided
from daybook.orders.state import Order, total_of
from daybook.people.person import parse_person_id
from daybook.stock.decisions import check_locations, check_pieces
from daybook.stock.state import Stock
from daybook.values import (
    Money,
    check_limit,
    check_money,
    check_text,
    check_time,
    exponent,
    parse_code,
    parse_money,
    parse_sku,
)


class OrderedLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a new order. Amounts are decimal texts such as "19.99"."""

    sku: str
    quantity: int
    price: str
    """Of one piece."""
    discount: str = "0"
    """Off the whole line."""
    tax: str = "0"
    """Of the whole line."""
    line: str | None = None
    """Its name within the order; 1, 2, 3, ... when it is left out."""


class NewCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """Who orders, and is new: what is known is in the vault under this revision, and counts once the log says so."""

    person: str
    fields: tuple[str, ...]
    revision: str


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="place_order"):
    """An order that came on a channel, with its stock: all of it is reserved, or it is refused.

    `already_sold`: the channel made the sale before; it is recorded whatever is there, and what is not is oversold.
    """

    channel: str
    number: str
    currency: str
    lines: tuple[OrderedLine, ...]
    person: str | None = None
    customer: NewCustomer | None = None
    shipping: str = "0"
    tax_included: bool = True
    already_sold: bool = False
    sold_at: datetime | None = None

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.place` and `allocation.allocate`. The very same order again changes nothing."""
        settings = _settings(scene, self.channel)
        wish = self._wish(settings)
        scene.look({one.sku for one in wish.lines}, wish.order)
        before = scene.order(wish.order)
        if before is not None and decisions.same_as_before(before, wish):
            return of_order(before.id, {}, decisions.NOTHING)
        if self.customer is None and wish.person is not None:
            _check_person(scene, wish.person)
        keys, stocks = _products(scene, wish.lines)
        wanted: Counter[str] = Counter()
        for one in wish.lines:  # of one item there may be several lines, and each alone would pass
            wanted[one.sku] += one.quantity
        found = allocate(
            wanted,
            stocks,
            settings.locations,
            DEFAULT_LOCATION,
            settings.allocation,
            held_back=settings.safety_stock,
            already_sold=self.already_sold,
        )
        for taken in found:
            check_locations(stocks[taken.sku], (taken.location,))
        changes = of_order(wish.order, keys, decisions.place(replace(wish, allocations=found)))
        return [*changes, *([_added(self.customer)] if self.customer else [])]

    def _wish(self, settings: ChannelConfigured) -> OrderPlaced:
        """What was asked for, checked as far as that needs no state."""
        number = _order_number(self.number)
        exponent(self.currency)
        if self.currency != settings.currency:
            raise InvalidValue(
                "currency",
                f"the channel {self.channel} sells in {settings.currency}, by its price list {settings.price_list!r}",
                self.currency,
            )
        check_limit(limits.ORDER_LINES, len(self.lines), "lines")
        if not self.lines:
            raise InvalidValue("lines", "an order has at least one line")
        if self.person is not None and self.customer is not None:
            raise InvalidValue("person", "is somebody who is known, and `customer` somebody new: give one of them")
        person = self.customer.person if self.customer else self.person
        lines = tuple(_line(one, at, self.currency) for at, one in enumerate(self.lines))
        if len({one.line for one in lines}) < len(lines):
            raise InvalidValue("lines", "two lines have the same name: name them, or leave `line` out of all")
        wish = OrderPlaced(
            order=f"{self.channel}:{number}",
            channel=self.channel,
            number=number,
            currency=self.currency,
            lines=lines,
            person=None if person is None else parse_person_id(person),
            shipping=_minor(self.shipping, self.currency, "shipping"),
            tax_included=self.tax_included,
            already_sold=self.already_sold,
            sold_at=None if self.sold_at is None else check_time(self.sold_at, "sold_at"),
        )
        check_money(Money(total_of(wish), wish.currency), "lines")
        return wish


class PayOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="pay_order"):
    """A payment came in. `reference` makes it harmless to tell it twice."""

    order: str
    amount: str
    currency: str
    reference: str | None = None

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.pay`."""
        amount = parse_money(self.amount, self.currency, "amount")
        reference = _text(self.reference, "reference")
        order = scene.known_order(self.order)
        return _changes(scene, order, decisions.pay(order, amount, reference))


class RefundOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refund_order"):
    """Money went back. `reference` makes it harmless to tell it twice."""

    order: str
    amount: str
    currency: str
    reference: str | None = None

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.refund`."""
        amount = parse_money(self.amount, self.currency, "amount")
        reference = _text(self.reference, "reference")
        order = scene.known_order(self.order)
        return _changes(scene, order, decisions.refund(order, amount, reference))


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="cancel_order"):
    """These pieces will not be shipped; without `lines`, none that are open."""

    order: str
    lines: dict[str, int] | None = None
    """Line -> pieces."""
    cause: CancelCause = "other"

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.cancel`."""
        lines = _lines(self.lines)
        order = scene.known_order(self.order)
        return _changes(scene, order, decisions.cancel(order, lines, self.cause))


class ShipOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ship_order"):
    """A parcel left with these pieces; without `lines`, with all that are open."""

    order: str
    parcel: str
    """Its name within the order, which makes it harmless to tell it twice."""
    lines: dict[str, int] | None = None
    carrier: str | None = None
    tracking: str | None = None
    location: str | None = None
    """Where it left from, when that is not where its pieces are reserved."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.ship`."""
        parcel, lines = check_text(self.parcel, "parcel", limits.ORDER_TEXT), _lines(self.lines)
        carrier, tracking = _text(self.carrier, "carrier"), _text(self.tracking, "tracking")
        location = _location(self.location)
        order = scene.known_order(self.order)
        decided = decisions.ship(order, parcel, lines, carrier=carrier, tracking=tracking, location=location)
        return _changes(scene, order, decided)


class ReturnOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="return_order"):
    """These pieces came back; without `lines`, all that were shipped."""

    order: str
    lines: dict[str, int] | None = None
    location: str | None = None
    """Where they are now, when that is not where they left from."""
    restock: bool = True
    """They may be sold again."""
    reference: str | None = None
    """The return's own number, which makes it harmless to tell it twice."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.take_back`."""
        lines, location, reference = _lines(self.lines), _location(self.location), _text(self.reference, "reference")
        order = scene.known_order(self.order)
        decided = decisions.take_back(order, lines, location=location, restock=self.restock, reference=reference)
        return _changes(scene, order, decided)


AnyOrderCommand = PlaceOrder | PayOrder | RefundOrder | CancelOrder | ShipOrder | ReturnOrder


def of_order(order: str, keys: Mapping[str, str], decided: Decided) -> list[Change]:
    """The changes of an order and of its stocks. `keys`: the product group of each SKU."""
    own = Change(f"order/{order}", None, f"{ORDER_KEY}{order}", decided.events)
    return [own, *(Change(f"stock/{sku}", sku, keys[sku], events) for sku, events in decided.stock.items())]


def _changes(scene: DecisionView, order: Order, decided: Decided) -> list[Change]:
    scene.look(decided.stock)
    for sku, events in decided.stock.items():
        check_locations(scene.stock(sku), {one.location for one in events})
    return of_order(order.id, {sku: scene.known_product(sku).key for sku in decided.stock}, decided)


def _settings(scene: DecisionView, channel: str) -> ChannelConfigured:
    """What the channel goes by. Raises NotFound for one that there is not."""
    scene.check_channel(channel)
    there = scene.reference.channels.get(channel) or scene.first_settings(channel)
    return there or ChannelConfigured(name=channel)


def _products(scene: DecisionView, lines: Sequence[OrderLine]) -> tuple[dict[str, str], dict[str, Stock]]:
    """The product group and the stock of each SKU. Raises NotFound and Refused, naming the line."""
    keys: dict[str, str] = {}
    stocks: dict[str, Stock] = {}
    for at, one in enumerate(lines):
        if one.sku in keys:
            continue
        product = scene.product(one.sku)
        if product is None:
            raise NotFound(f"lines[{at}].sku: there is no product {one.sku}", field=f"lines[{at}].sku", sku=one.sku)
        if product.kind == "model":
            raise Refused(
                f"lines[{at}].sku: {one.sku} is a model, which nobody can buy: name one of its variants", sku=one.sku
            )
        keys[one.sku], stocks[one.sku] = product.key, scene.stock(one.sku) or Stock()
    return keys, stocks


def _line(one: OrderedLine, at: int, currency: str) -> OrderLine:
    field = f"lines[{at}]"
    check_pieces(f"{field}.quantity", one.quantity, 1)
    price = _minor(one.price, currency, f"{field}.price")
    discount = _minor(one.discount, currency, f"{field}.discount")
    if discount > price * one.quantity:
        raise InvalidValue(f"{field}.discount", "is more than the line costs", one.discount)
    return OrderLine(
        line=_line_name(one.line, at),
        sku=parse_sku(one.sku, f"{field}.sku"),
        quantity=one.quantity,
        price=price,
        discount=discount,
        tax=_minor(one.tax, currency, f"{field}.tax"),
    )


def _line_name(given: str | None, at: int) -> str:
    return str(at + 1) if given is None else check_text(given, f"lines[{at}].line", limits.LINE_NAME)


def _order_number(text: str) -> str:
    check_text(text, "number", limits.ORDER_NUMBER)
    try:
        return parse_sku(text, "number")
    except InvalidValue as error:
        raise InvalidValue(
            "number", f"{error.details['reason']}: give the channel's own id of the order", text
        ) from None


def _minor(text: str, currency: str, field: str) -> int:
    return parse_money(text, currency, field).amount


def _text(text: str | None, field: str) -> str | None:
    return None if text is None else check_text(text, field, limits.ORDER_TEXT)


def _lines(lines: dict[str, int] | None) -> dict[str, int] | None:
    check_limit(limits.ORDER_LINES, len(lines or ()), "lines")
    return lines


def _location(location: str | None) -> str | None:
    return None if location is None else parse_code(location, "location")


def _check_person(scene: DecisionView, person: str) -> None:
    state = scene.person(person)
    if state is None:
        raise NotFound(f"person: there is no person {person}: give `customer` for somebody new", field="person")
    if state.erased:
        raise Gone(f"person: {person} was erased: give `customer` for somebody new", field="person")


def _added(customer: NewCustomer) -> Change:
    event = PersonAdded(person=customer.person, fields=customer.fields, revision=customer.revision)
    return Change(f"person/{customer.person}", None, f"{PERSON_KEY}{customer.person}", [event])
