"""Asks bol which orders changed, and for each of those: a page of the list, and a request for every order on it.

The list is asked for changes of the last minutes, at most an hour. What is longer ago is asked for day by day, as bol
filters by the day of the newest change: three months back, and not further. An item is on the day of its newest change
alone, so days are asked for in their order and today comes last.
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import msgspec

from daybook.channel.calls import Answer, Unanswered
from daybook.channel.contract import Rejected
from daybook.channel.order_body import objects
from daybook.channel.orders import HeardOrder, NotNow, OrdersPage
from daybook.errors import InvalidValue
from daybook_projections.bol.access import RETAILER_V10, Access, Failed, Failure, body_of
from daybook_projections.bol.orders import changed_at, heard

ORDERS = "/retailer/orders"
PAGE_SIZE = 50
INTERVAL_MINUTES_MAX = 60
SPARE_MINUTES = 5
"""Asked for besides: bol's clock and ours differ, and it wants to be asked more often than the interval is long."""
DAYS_MAX = 89
"""bol tells of three months."""
SEEN_MAX = 20_000
SETTLED = timedelta(minutes=1)


class Place(msgspec.Struct, frozen=True):
    """Where a round is: which day (None: the last minutes), which page of it, and when it began, by bol's clock."""

    day: str | None
    minutes: int
    page: int
    began: datetime | None


class OrderQuery:
    """One account's orders. Raises nothing: what goes wrong is the answer."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._seen: OrderedDict[str, datetime] = OrderedDict()
        """Order -> the change of it that was told, and kept by whoever asked."""
        self._told: tuple[tuple[datetime, str | None], dict[str, datetime]] | None = None

    async def changed(self, since: datetime, page: str | None) -> OrdersPage | NotNow:
        """A page of the orders that changed."""
        try:
            self._settle((since, page))
            return await self._changed(since, page)
        except Failed as failed:
            return _not_now(failed.outcome)
        except Unanswered as lost:
            return _not_now(lost.outcome())
        except InvalidValue as error:
            return NotNow(f"bol tells of an order what is not in its contract: {error.message}")

    async def _changed(self, since: datetime, page: str | None) -> OrdersPage:
        place = msgspec.json.decode(page, type=Place) if page is not None else _first(since)
        chosen = (
            {"change-interval-minute": str(place.minutes)} if place.day is None else {"latest-change-date": place.day}
        )
        query = {"fulfilment-method": "FBR", "status": "ALL", "page": str(place.page)} | chosen
        answer = await self._access.call("GET", ORDERS, "get-orders", query=query, media_type=RETAILER_V10)
        began = place.began or _date(answer)
        listed = objects(body_of(answer), "orders")
        told = {str(one.get("orderId")): _newest(one) for one in listed}
        found = [
            order
            for own, changed in told.items()
            if self._seen.get(own) != changed and (order := await self._order(own)) is not None
        ]
        # Two changes within a second have one stamp: what is that new is asked for once more.
        self._told = (since, page), {own: at for own, at in told.items() if at < began - SETTLED}
        following = _next(place, len(listed), began)
        return OrdersPage(tuple(found), following, began if following is None else None)

    async def _order(self, own: str) -> HeardOrder | None:
        path = f"{ORDERS}/{quote(own, safe='')}"
        answer = await self._access.call("GET", path, "get-order", media_type=RETAILER_V10)
        if answer.status == 404:
            return None  # it went out of sight in between
        return heard(body_of(answer), answer.text.encode())

    def _settle(self, asked: tuple[datetime, str | None]) -> None:
        """Whoever asks for something else has kept what was told before; who asks the same once more may not have."""
        if self._told is not None and self._told[0] != asked:
            self._seen |= self._told[1]
            while len(self._seen) > SEEN_MAX:
                self._seen.popitem(last=False)
        self._told = None


def _first(since: datetime) -> Place:
    now = datetime.now(UTC)
    minutes = int((now - since).total_seconds() // 60) + 1 + SPARE_MINUTES
    if minutes <= INTERVAL_MINUTES_MAX:
        return Place(None, max(minutes, 1 + SPARE_MINUTES), 1, None)
    day = max(since, now - timedelta(days=DAYS_MAX)).astimezone(UTC).date()
    return Place(day.isoformat(), 0, 1, None)


def _next(place: Place, listed: int, began: datetime) -> str | None:
    """The page behind this one, or the first one of the next day; None at the end."""
    if listed >= PAGE_SIZE:
        found = Place(place.day, place.minutes, place.page + 1, began)
    elif place.day is None:
        return None
    else:
        day = datetime.fromisoformat(place.day).date() + timedelta(days=1)
        # Two hours ahead: bol's days begin when they do in the Netherlands.
        if day > (datetime.now(UTC) + timedelta(hours=2)).date():
            return None
        found = Place(day.isoformat(), 0, 1, began)
    return msgspec.json.encode(found).decode()


def _newest(order: Mapping[str, object]) -> datetime:
    items = objects(order, "orderItems")
    moments = [changed_at(one, f"orderItems[{at}]") for at, one in enumerate(items)]
    return max(moments, default=datetime.min.replace(tzinfo=UTC))


def _date(answer: Answer) -> datetime:
    """When bol answered, by its own clock, which every answer names."""
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def _not_now(outcome: Failure) -> NotNow:
    if isinstance(outcome, Rejected):
        first = outcome.reasons[0]
        return NotNow(f"bol refuses to tell of orders: {first.message}")
    reason = getattr(outcome, "reason", "bol is asked too fast")
    return NotNow(reason, outcome.retry_after_seconds)
