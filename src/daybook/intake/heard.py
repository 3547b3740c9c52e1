"""What channels told of their orders, kept sealed until it was decided on.

A message tells an order as a whole, so of each order only the newest is kept. It holds a customer's name before anybody
has an id for him or her; so each is sealed under a key of its own, which is destroyed once it was taken. Backups that
were made meanwhile then hold nothing that can be read.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from daybook import limits
from daybook.channel.orders import HeardOrder
from daybook.errors import InvalidValue, NotFound, Refused
from daybook.ids import new_id
from daybook.people.cipher import SealBroken, seal_bytes, unseal_bytes
from daybook.people.keys.keyring import Keyring
from daybook.people.places import ErasablePlace
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import beside
from daybook.values import check_limit

QUERIES = beside(__file__)

BELL = "daybook_heard"
"""What Postgres notifies whoever waits for messages of."""
PAGE = 50
AFTER_MOST = 2**63 - 1


class WaitingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel told of an order, to be decided on."""

    channel: str
    revision: int
    order: HeardOrder
    person: str | None
    """Who ordered, when an earlier message told it."""

    @property
    def id(self) -> str:
        """The order's name everywhere."""
        return f"{self.channel}:{self.order.number}"


class RefusedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a channel told, and that can't be taken as it is."""

    order: str
    channel: str
    number: str
    changed_at: datetime | None
    """By the channel's clock."""
    source: str
    """`message` or `poll`."""
    refused_at: datetime
    code: str
    field: str | None
    reason: str
    kept: bool
    """What it told is still there. It is not when the person was erased since."""
    person: str | None
    next_step: str


class RefusedPage(msgspec.Struct, frozen=True):
    """Orders that were refused, the longest ago first, and the `after` of the next page; null on the last one."""

    refused: list[RefusedOrder]
    next: int | None


class Retaken(msgspec.Struct, frozen=True):
    """Orders that are decided on once more."""

    orders: list[str]


class Dismissed(msgspec.Struct, frozen=True):
    """Orders that will not be taken, unless their channel tells them anew."""

    orders: list[str]


class OpenedOrder(msgspec.Struct, frozen=True):
    """A message, or why it can't be read any more."""

    waiting: WaitingOrder
    broken: SealBroken | None = None


class HeardOrders:
    """Keeps what channels tell. Thread-safe; any number of processes. Raises Unavailable."""

    def __init__(self, pool: Pool, keys: Keyring) -> None:
        self._pool = pool
        self._keys = keys

    def hear(self, channel: str, heard: HeardOrder, source: Literal["message", "poll"]) -> bool:
        """Keeps what an order is now; False when it was heard before, or is older than what was."""
        check_limit(limits.HEARD, len(heard.body), "body")
        digest = hashlib.sha256(heard.body).digest()
        about = {"channel": channel, "number": heard.number, "stamp": heard.stamp, "digest": digest}
        before = fetch(self._pool, QUERIES["before"], about)
        if before and any(before[0]):
            return False
        key = new_id()
        sealed = seal_bytes(self._keys.make(key), _place(channel, heard.number, key), heard.body)
        given = about | {"source": source, "body": sealed, "key": key}
        ((kept, unused, _),) = fetch(self._pool, QUERIES["keep"], given)
        if not kept:
            unused = key
        if unused is not None:
            self._keys.drop([unused])
        return bool(kept)

    def waiting(self, channels: Sequence[str]) -> list[OpenedOrder]:
        """What is to be decided on, the longest waiting first, opened; a page of it."""
        rows = fetch(self._pool, QUERIES["waiting"], (list(channels), PAGE))
        keys = self._keys.of([row[5] for row in rows if row[5]]) if rows else {}
        found = []
        for channel, number, revision, stamp, sealed, key, person in rows:
            body, broken = b"", None
            try:
                body = _opened(channel, number, sealed, key, keys.get(key))
            except SealBroken as error:
                broken = error
            order = HeardOrder(number=number, stamp=stamp, body=body)
            waiting = WaitingOrder(channel=channel, revision=revision, order=order, person=person)
            found.append(OpenedOrder(waiting, broken))
        return found

    def take(self, waiting: WaitingOrder, person: str | None) -> bool:
        """It was decided on: its bytes go, and their key. False when it told something new meanwhile."""
        key = self._key_of(waiting)
        done = bool(fetch(self._pool, QUERIES["taken"], _about(waiting) | {"person": person}))
        if done and key is not None:
            self._keys.drop([key])
        return done

    def refuse(self, waiting: WaitingOrder, person: str | None, code: str, field: str | None, reason: str) -> bool:
        """It can't be taken, and is kept. False when it told something new meanwhile."""
        said = {"code": code, "field": field, "reason": reason[: limits.REASON_LENGTH_MAX], "person": person}
        return bool(fetch(self._pool, QUERIES["refused"], _about(waiting) | said))

    def refused(self, *, channels: frozenset[str] | None = None, after: int = 0, limit: int = 50) -> RefusedPage:
        """Those that could not be taken; `after` so many. Raises InvalidValue."""
        if not 1 <= limit <= limits.ROWS.most:
            raise InvalidValue("limit", f"must be between 1 and {limits.ROWS.most}", limit)
        if not 0 <= after <= AFTER_MOST:
            raise InvalidValue("after", "must be the `next` of a page", after)
        given = {"channels": _listed(channels), "offset": after, "limit": limit}
        rows = fetch(self._pool, QUERIES["list_refused"], given)
        return RefusedPage([_refused(*row) for row in rows], after + limit if len(rows) == limit else None)

    def retake(self, orders: Sequence[str] | None = None, *, channels: frozenset[str] | None = None) -> Retaken:
        """Has these decided on once more, or all. Raises NotFound and Refused, naming the order."""
        check_limit(limits.NAMED, len(orders or ()), "orders")
        if orders is not None:
            self._check(orders, channels)
        given = {"orders": None if orders is None else list(orders), "channels": _listed(channels)}
        return Retaken([order for (order,) in fetch(self._pool, QUERIES["retake"], given)])

    def dismiss(self, orders: Sequence[str], *, channels: frozenset[str] | None = None) -> Dismissed:
        """These will not be taken, and what they told goes. Raises NotFound and Refused, naming the order."""
        check_limit(limits.NAMED, len(orders), "orders")
        self._check(orders, channels, told=False)
        rows = fetch(self._pool, QUERIES["dismiss"], {"orders": list(orders), "channels": _listed(channels)})
        self._keys.drop([key for _, key in rows if key])
        return Dismissed(sorted(order for order, _ in rows))

    def _check(self, orders: Sequence[str], channels: frozenset[str] | None, told: bool = True) -> None:
        states = {order: (state, kept) for order, state, kept in fetch(self._pool, QUERIES["states"], (list(orders),))}
        for order in orders:
            state, kept = states.get(order, (None, False))
            if state is None or (channels is not None and order.partition(":")[0] not in channels):
                raise NotFound(f"no channel told of an order {order}; `daybook order refused` lists them", order=order)
            if state != "refused":
                raise Refused(f"order {order} is {state}, not refused: there is nothing to do", order=order)
            if told and not kept:
                raise Refused(
                    f"what order {order} told was of somebody who was erased, and is gone: it comes again when its "
                    "channel changes it, and `daybook order dismiss` takes it off the list",
                    order=order,
                )

    def _key_of(self, waiting: WaitingOrder) -> str | None:
        rows = fetch(self._pool, QUERIES["key"], _about(waiting))
        return rows[0][0] if rows else None


def _place(channel: str, number: str, key: str) -> tuple[str, ...]:
    return ("heard", key, f"{channel}:{number}")


def _opened(channel: str, number: str, sealed: bytes | None, key: str | None, secret: bytes | None) -> bytes:
    if sealed is None or key is None or secret is None:
        raise SealBroken(f"what {channel}:{number} told, or its key, is missing: restore both from one backup")
    return unseal_bytes(secret, _place(channel, number, key), bytes(sealed))


def _about(waiting: WaitingOrder) -> dict[str, object]:
    return {"channel": waiting.channel, "number": waiting.order.number, "revision": waiting.revision}


def _listed(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _refused(
    channel: str,
    number: str,
    stamp: datetime | None,
    source: str,
    since: datetime,
    code: str,
    field: str | None,
    reason: str,
    kept: bool,
    person: str | None,
) -> RefusedOrder:
    order = f"{channel}:{number}"
    return RefusedOrder(
        order=order,
        channel=channel,
        number=number,
        changed_at=stamp,
        source=source,
        refused_at=since,
        code=code,
        field=field,
        reason=reason,
        kept=kept,
        person=person,
        next_step=f"daybook order retake {order}" if kept else f"daybook order dismiss {order}",
    )


def erase(pool: Pool, person: str) -> int:
    """Removes what a person's orders told and nobody decided on. Safe to repeat."""
    return len(fetch(pool, QUERIES["forget_person"], (person,)))


HEARD = ErasablePlace(
    name="heard orders",
    about="messages of channels about a person's orders that were not decided on, or could not be taken",
    erase=erase,
)
