"""Takes orders that were heard into the book, one after the other, each exactly once.

At least once is once: an order that is there is not placed again, what became of it is compared with what the book has,
and each command's id is made of the channel, the order and what was told, so that two processes that both take an order
carry each command out once.
"""

import hashlib
import logging
from collections.abc import Mapping
from uuid import UUID, uuid5

import msgspec

from daybook.channel.orders import OrdersIn, ToldOrder
from daybook.commands.book import Book
from daybook.commands.order_intake import OrderIntake
from daybook.errors import DaybookError, Unavailable
from daybook.intake.heard import HeardOrders, OpenedOrder, WaitingOrder
from daybook.intake.plan import plan, to_place
from daybook.log.application import Log
from daybook.log.pending import Context
from daybook.orders.state import Order
from daybook.orders.state import evolve as evolve_order

log = logging.getLogger("daybook.intake")

NAMES = UUID("0b7e0a5e-6a8e-5b0a-9a0e-6d61726b6574")
"""Of command ids that are made of what was heard."""
SOURCE = "intake"


class Taker:
    """Decides on what was heard. Raises Unavailable; everything else is told of the order that it is about."""

    def __init__(self, book: Book, orders: OrderIntake, log: Log, heard: HeardOrders) -> None:
        self._book = book
        self._orders = orders
        self._log = log
        self._heard = heard

    def take_page(self, channels: Mapping[str, OrdersIn]) -> int:
        """Decides on a page of what waits; how many those were."""
        found = self._heard.waiting(list(channels))
        for one in found:
            self.take(one, channels[one.waiting.channel])
        return len(found)

    def take(self, opened: OpenedOrder, rules: OrdersIn) -> None:
        """Decides on one order, and says what became of it."""
        waiting = opened.waiting
        try:
            if opened.broken is not None:
                raise opened.broken
            self._carry_out(waiting, rules.decode(waiting.order))
        except Unavailable:
            raise
        except DaybookError as error:
            field = error.details.get("field")
            self._refuse(waiting, error.code, None if field is None else str(field), error.message)
        except Exception as error:
            # The channel's own code met what it does not know. The others go on, and a person is told; not what the
            # error says, as that may repeat what the order says of its customer.
            log.exception("order %s can't be taken", waiting.id, extra={"channel": waiting.channel})
            self._refuse(waiting, "defect", None, f"{type(error).__name__} in what decodes it: please report it")
        else:
            self._heard.take(waiting, self._person(waiting))

    def _refuse(self, waiting: WaitingOrder, code: str, field: str | None, reason: str) -> None:
        log.warning("order %s is refused: %s", waiting.id, reason, extra={"channel": waiting.channel})
        self._heard.refuse(waiting, self._person(waiting), code, field, reason)

    def _person(self, waiting: WaitingOrder) -> str | None:
        order = self._order(waiting)
        return None if order is None else order.placed.person

    def _order(self, waiting: WaitingOrder) -> Order | None:
        found, _ = self._log.load(f"order/{waiting.id}", evolve_order)
        return found

    def _carry_out(self, waiting: WaitingOrder, told: ToldOrder) -> None:
        order = self._order(waiting)
        if order is None:
            new = to_place(waiting.channel, told)
            if new is None:
                return
            self._orders.place(new, _context(waiting, "place"), repeatable=True)
            order = self._order(waiting)
            assert order is not None, "it was placed just now"
        planned = plan(order, told)
        for number, command in enumerate(planned.commands):
            what = f"{number} {type(command).__name__} {msgspec.json.encode(command, order='deterministic').decode()}"
            self._book.carry_out(command, _context(waiting, what), repeatable=True)
        if planned.refusal is not None:
            raise planned.refusal


def _context(waiting: WaitingOrder, what: str) -> Context:
    """Who says it, and an id that the same words always have."""
    digest = hashlib.sha256(waiting.order.body).hexdigest()
    return Context.new(
        f"channel:{waiting.channel}",
        SOURCE,
        command_id=str(uuid5(NAMES, f"{waiting.id} {digest} {what}")),
        correlation_id=waiting.id,
    )
