"""A small engine for the contract suite: it brings a rendering to a sandbox, one push after the other."""

import asyncio
from collections.abc import Iterable, Mapping

from daybook.channel.contract import (
    Accepted,
    Confirmed,
    Connector,
    Held,
    Manifest,
    Outcome,
    Payload,
    Push,
    Throttled,
    Waiting,
)

ROUNDS_MAX = 10
CONFIRM_SECONDS_MAX = 10.0
POLL_SECONDS = 0.05

Listings = Mapping[str, Mapping[str, Payload]]
Step = tuple[str, str, bool]
"""(SKU, facet, whether it is taken off)."""


class Shelf:
    """What one channel should show, by SKU in the order of creation, and the ids that it gave. Drives a connector."""

    def __init__(
        self, manifest: Manifest, keys: Mapping[str, str], rendered: Mapping[tuple[str, str], Payload | Held]
    ) -> None:
        self.manifest = manifest
        self.keys = keys
        """SKU -> group key."""
        self.listings: dict[str, dict[str, Payload]] = {}
        """SKU -> facet -> payload, without what is held."""
        for sku in keys:
            named = [facet for of, facet in rendered if of == sku and facet not in manifest.facets]
            for facet in (*manifest.facets, *named):
                payload = rendered.get((sku, facet))
                if payload is not None and not isinstance(payload, Held):
                    self.listings.setdefault(sku, {})[facet] = payload
        self.remote_ids: dict[str, str] = {}
        self.position = 0

    async def push(
        self, connector: Connector, sku: str, facet: str, *, remove: bool = False, attempt: int = 1
    ) -> Outcome:
        """Pushes one facet and follows an accepted submission to its end. Remembers the remote id."""
        self.position += 1
        push = self.describe(sku, facet, remove=remove, attempt=attempt)
        outcome = await connector.push(push)
        for _ in range(int(CONFIRM_SECONDS_MAX / POLL_SECONDS)):
            if isinstance(outcome, Accepted | Confirmed) and outcome.remote_id is not None:
                self.remote_ids[sku] = outcome.remote_id
            if not isinstance(outcome, Accepted):
                return outcome
            await asyncio.sleep(min(POLL_SECONDS, outcome.check_after_seconds))
            outcome = await connector.confirm(push, outcome.submission)
        raise AssertionError(f"{facet} of {sku} is still only accepted after {CONFIRM_SECONDS_MAX} s")

    def describe(self, sku: str, facet: str, *, remove: bool = False, attempt: int = 1) -> Push:
        """Describes the push as the engine would, with all that is known of the group."""
        key = self.keys[sku]
        listing = {} if remove else self.listings.get(sku, {})
        group: Listings = {}
        if self.manifest.lane == "group":
            group = {one: self.listings.get(one, {}) for one, its in self.keys.items() if its == key} | {sku: listing}
        return Push(
            sku=sku,
            key=key,
            facet=facet,
            payload=None if remove else listing[facet],
            listing=listing,
            group=group,
            remote_id=self.remote_ids.get(sku),
            remote_ids={s: i for s, i in self.remote_ids.items() if self.keys[s] == key},
            position=self.position,
            attempt=attempt,
        )

    async def bring(self, connector: Connector, skus: Iterable[str]) -> None:
        """Brings every facet of the SKUs, as the engine brings what is new to the channel."""
        await self.take(connector, [(sku, facet, False) for sku in skus for facet in self.listings[sku]])

    async def take(self, connector: Connector, steps: Iterable[Step], *, covered: bool = True) -> None:
        """Takes the steps as the engine would: what waits or was throttled comes again later.

        With `covered` a step is left out that an outcome before it says it has brought as well.
        """
        due, brought = list(steps), set[tuple[str, str]]()
        for _ in range(ROUNDS_MAX):
            waiting: list[Step] = []
            for sku, facet, remove in due:
                if covered and (sku, facet) in brought:
                    continue
                outcome = await self.push(connector, sku, facet, remove=remove)
                if isinstance(outcome, Waiting | Throttled):
                    waiting.append((sku, facet, remove))
                if isinstance(outcome, Throttled):
                    await asyncio.sleep(outcome.retry_after_seconds or POLL_SECONDS)
                elif not isinstance(outcome, Waiting):
                    assert isinstance(outcome, Confirmed), f"{facet} of {sku}: {outcome}"
                    brought |= {(sku, name) for name in outcome.covers}
            due = waiting
            if not due:
                return
        raise AssertionError(f"still waiting after {ROUNDS_MAX} rounds: {due}")

    def differences(self, after: "Shelf") -> list[Step]:
        """The steps from this listing to another one: only what differs, and a whole listing that goes is one step."""
        creating = self.manifest.facets[0]
        steps: list[Step] = []
        for sku in self.keys:
            mine, its = self.listings.get(sku, {}), after.listings.get(sku, {})
            if creating in mine and creating not in its:
                steps.append((sku, creating, True))
                continue
            steps += [(sku, facet, False) for facet, payload in its.items() if mine.get(facet) != payload]
            steps += [(sku, facet, True) for facet in mine if facet not in its]
        return steps
