"""Many pushes in one request: `POST /products/batch`, and the same below a product for its variations.

A batch is no transaction: each member is carried out, or refused, by itself under HTTP 200, and told in its place. What
the shop says of a member is its push's outcome, but for three cases in which the push is sent again alone, at once:

- the id is gone, a new product's SKU is there already, or what was changed is in the trash or lacks something: that
  takes further requests, which `push` knows how to make;
- a refused member stood for several pushes of one SKU: only alone does each learn whether it was the culprit.

A shop may take fewer than a hundred members (a filter, a small body limit, a slow host that does not answer in time).
What it can't take is cut in half, and remembered.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from daybook.channel.calls import Answer, Early, Previewed, Unanswered
from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Payload, Push, Rejected, Throttled
from daybook_projections.webshop.bodies import CREATING, changed, seen_by_buyers, whole
from daybook_projections.webshop.mapping import PARENT
from daybook_projections.webshop.place import DUPLICATE, GONE, TRASHED, Place, collection

MEMBERS_MAX = 100
"""WooCommerce's own limit (check_batch_limit; a shop may set `woocommerce_rest_batch_items_limit` lower)."""
MORE_MEMBERS = 10
"""After a full batch that went well, the next one may have so many more again."""


class Member(msgspec.Struct):
    """One entry of a batch, and the pushes that it stands for: all of one SKU."""

    creates: bool
    body: Payload
    pushes: list[int]
    """By their place among the pushes that were given."""


def endpoint(push: Push) -> str | None:
    """The path of the batch that the push may be part of, or None when it goes alone.

    Alone go removals, facets without a product, variable products and variations that are new (what comes after them
    needs their ids), and creates that were tried before: they have to be looked up first.
    """
    if push.remote_id is not None:
        removal = push.facet == CREATING and push.payload is None
        return None if removal else f"{collection(Place.parse(push.remote_id).under)}/batch"
    if push.facet != CREATING or push.payload is None or push.attempt > 1:
        return None
    simple = push.payload.get("type") == "simple" and PARENT not in push.payload
    return f"{collection(None)}/batch" if simple else None


def members(pushes: Sequence[Push]) -> list[Member]:
    """The pushes as members, in the order of asking. Pushes about one id become one: in a batch each id is once."""
    found: dict[str, Member] = {}
    for number, push in enumerate(pushes):
        if push.remote_id is None:
            found[f"new {number}"] = Member(True, whole(push.listing), [number])
            continue
        member = found.setdefault(push.remote_id, Member(False, {"id": Place.parse(push.remote_id).own}, []))
        member.body.update(changed(push))
        member.pushes.append(number)
    return list(found.values())


class Gathering:
    """Sends batches to one shop. Knows how much the shop takes at once."""

    def __init__(
        self,
        send: Callable[[str, Payload], Awaitable[Answer]],
        alone: Callable[[Push], Awaitable[Outcome]],
        refused: Callable[[Answer], ChannelUnavailable | Rejected],
    ) -> None:
        self._send = send
        self._alone = alone
        self._refused = refused
        self._ceiling = self._most = MEMBERS_MAX

    async def push_all(self, pushes: Sequence[Push]) -> list[Outcome]:
        """An outcome for each push, in order. All of one `endpoint`."""
        path = endpoint(pushes[0])
        assert path is not None, "only what `gathers` named is gathered"
        together = _Together(pushes)
        waiting = [members(pushes)]
        while waiting:
            part = waiting.pop(0)
            if len(part) > self._most:
                waiting = [*_cut(part, self._most), *waiting]
            elif together.down is not None:
                together.tell(part, together.down)
            else:
                if not await self._part(path, part, together):
                    waiting.insert(0, part)
        return [together.told[number] for number in range(len(pushes))]

    async def _part(self, path: str, part: list[Member], together: "_Together") -> bool:
        """Brings the part; False when it is too much for the shop, whose measure is known better then."""
        verbs = {
            "create": [each for each in part if each.creates],
            "update": [each for each in part if not each.creates],
        }
        try:
            answer = await self._send(
                path, {verb: [each.body for each in some] for verb, some in verbs.items() if some}
            )
        except Unanswered as lost:
            if not isinstance(lost, Early | Previewed):
                self._most = max(1, min(self._most, len(part) // 2))
            together.tell(part, lost.outcome())
            return True
        if answer.status == 413 and len(part) > 1:
            self._ceiling = self._most = min(self._most, len(part) // 2)
            return False
        down = answer.outage() if answer.status != 413 else None
        if down is not None:
            together.tell(part, down)
            return True
        if answer.status != 200 or not isinstance(answer.body, dict):
            await self._apart(part, self._refused(answer), together)
            return True
        if len(part) >= self._most:
            self._most = min(self._ceiling, self._most + MORE_MEMBERS)
        for verb, some in verbs.items():
            told = answer.body.get(verb)
            for place, member in enumerate(some):
                said = told[place] if isinstance(told, list) and place < len(told) else None
                await self._member(member, said, answer, together)
        return True

    async def _apart(self, part: list[Member], refused: ChannelUnavailable | Rejected, together: "_Together") -> None:
        """The batch as a whole was refused. When that is not the channel's trouble, it is not each member's either."""
        for member in part:
            if isinstance(refused, ChannelUnavailable):
                together.tell([member], refused)
            else:
                await self._one_by_one(member, together)

    async def _member(self, member: Member, said: Any, answer: Answer, together: "_Together") -> None:
        own = said.get("id") if isinstance(said, dict) else None
        if not isinstance(own, int) or (not member.creates and own != member.body["id"]):
            for number in member.pushes:
                sku = together.pushes[number].sku
                together.told[number] = ChannelUnavailable(f"the shop's answer to a batch has no word on {sku}")
            return
        error = said.get("error")
        if error is None and all(seen_by_buyers(together.pushes[number], said) for number in member.pushes):
            for number in member.pushes:
                together.told[number] = _brought(together.pushes[number], own, member.creates)
            return
        if error is None:
            await self._one_by_one(member, together)
            return
        if not isinstance(error, dict):
            error = {"message": str(error)}
        code = error.get("code")
        if code in GONE or (member.creates and code in (DUPLICATE, TRASHED)) or len(member.pushes) > 1:
            await self._one_by_one(member, together)
            return
        data = error.get("data")
        status = data.get("status") if isinstance(data, dict) else None
        failed = Answer(status if isinstance(status, int) else 400, {}, error, str(error), answer.operation)
        together.told[member.pushes[0]] = failed.outage() or self._refused(failed)

    async def _one_by_one(self, member: Member, together: "_Together") -> None:
        """Each push alone, but what an earlier one brought along. Once the shop is down nothing more is sent."""
        brought: Outcome | None = None
        for number in member.pushes:
            push = together.pushes[number]
            if isinstance(brought, Confirmed) and push.facet in brought.covers:
                together.told[number] = brought
            elif together.down is not None:
                together.told[number] = together.down
            else:
                brought = await self._alone(push)
                together.tell_one(number, brought)


class _Together:
    """The pushes of one call, and what is known of their outcomes."""

    def __init__(self, pushes: Sequence[Push]) -> None:
        self.pushes = pushes
        self.told: dict[int, Outcome] = {}
        self.down: Throttled | ChannelUnavailable | None = None
        """What the shop answered when it could not be used any more: nothing more is sent."""

    def tell(self, part: Sequence[Member], outcome: Outcome) -> None:
        for member in part:
            for number in member.pushes:
                self.tell_one(number, outcome)

    def tell_one(self, number: int, outcome: Outcome) -> None:
        self.told[number] = outcome
        if isinstance(outcome, Throttled | ChannelUnavailable):
            self.down = outcome


def _brought(push: Push, own: int, created: bool) -> Outcome:
    return Confirmed(covers=tuple(push.listing), remote_id=str(own)) if created else Confirmed()


def _cut(part: list[Member], most: int) -> list[list[Member]]:
    return [part[start : start + most] for start in range(0, len(part), most)]
