"""The connector half of the contract suite: a small engine that brings a rendering to a sandbox, and what must hold."""

import asyncio
from collections.abc import Mapping, Sequence

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
    Unavailable,
    Waiting,
)
from daybook.channel.sandbox import Faults, SandboxServer

ROUNDS_MAX = 10
CONFIRM_SECONDS_MAX = 10.0
POLL_SECONDS = 0.05


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
            for facet in manifest.facets:
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
        push = Push(
            sku=sku,
            key=self.keys[sku],
            facet=facet,
            payload=None if remove else self.listings[sku][facet],
            listing={} if remove else self.listings[sku],
            remote_id=self.remote_ids.get(sku),
            remote_ids={s: i for s, i in self.remote_ids.items() if self.keys[s] == self.keys[sku]},
            position=self.position,
            attempt=attempt,
        )
        outcome = await connector.push(push)
        for _ in range(int(CONFIRM_SECONDS_MAX / POLL_SECONDS)):
            if isinstance(outcome, Accepted | Confirmed) and outcome.remote_id is not None:
                self.remote_ids[sku] = outcome.remote_id
            if not isinstance(outcome, Accepted):
                return outcome
            await asyncio.sleep(min(POLL_SECONDS, outcome.check_after_seconds))
            outcome = await connector.confirm(push, outcome.submission)
        raise AssertionError(f"{facet} of {sku} is still only accepted after {CONFIRM_SECONDS_MAX} s")

    async def bring(self, connector: Connector, skus: Sequence[str]) -> None:
        """Brings every facet of the SKUs, as the engine would: what waits or was throttled comes again later."""
        due = [(sku, facet) for sku in skus for facet in self.listings[sku]]
        for _ in range(ROUNDS_MAX):
            waiting: list[tuple[str, str]] = []
            for sku, facet in due:
                outcome = await self.push(connector, sku, facet)
                if isinstance(outcome, Waiting | Throttled):
                    waiting.append((sku, facet))
                if isinstance(outcome, Throttled):
                    await asyncio.sleep(outcome.retry_after_seconds or POLL_SECONDS)
                elif not isinstance(outcome, Waiting):
                    assert isinstance(outcome, Confirmed), f"{facet} of {sku}: {outcome}"
            due = waiting
            if not due:
                return
        raise AssertionError(f"still waiting after {ROUNDS_MAX} rounds: {due}")


async def check_connector(shelf: Shelf, changed: Shelf, single: Sequence[str]) -> None:
    """Takes the shelf through the life of a listing. `single`: SKUs that need no parent, two at least.

    `changed` holds the same listings after changes to the first of `single`.
    """
    assert len(single) >= 2, "the contract needs two products without variants that the channel shows"
    manifest = shelf.manifest
    assert manifest.connector is not None and manifest.sandbox is not None
    for check in (_life, _lost_answer, _wrong_credentials):
        sandbox = manifest.sandbox()
        assert isinstance(sandbox, SandboxServer), "a sandbox is a SandboxServer"
        await sandbox.start()
        settings = sandbox.settings()
        if check is _wrong_credentials:
            settings = {name: value if name.endswith("url") else "wrong" for name, value in settings.items()}
        connector = manifest.connector(settings)
        shelf.remote_ids.clear()
        try:
            await check(shelf, sandbox, connector, list(single))
            if check is _life:
                await _there_and_back(shelf, changed, sandbox, connector, single[0])
        finally:
            await connector.close()
            await sandbox.stop()


async def _life(shelf: Shelf, sandbox: SandboxServer, connector: Connector, single: list[str]) -> None:
    everything = list(shelf.listings)
    await shelf.bring(connector, everything)
    shown = _shown(sandbox)
    assert shown.keys() >= shelf.listings.keys(), f"brought but not shown: {shelf.listings.keys() - shown.keys()}"
    dead = [sku for sku in single if not _live(shown[sku]) and shown[sku].get("stock") != 0]
    assert not dead, f"brought with stock but not live: {dead}"
    await shelf.bring(connector, everything)
    assert _shown(sandbox) == shown, "bringing the same facets again changed what is shown"
    await _faults(shelf, sandbox, connector, single[0])
    assert _shown(sandbox) == shown, "a refused push changed what is shown"
    for sku in reversed(everything):
        for attempt in (1, 2):
            outcome = await shelf.push(connector, sku, shelf.manifest.facets[0], remove=True, attempt=attempt)
            assert isinstance(outcome, Confirmed), f"removing {sku}, time {attempt}: {outcome}"
    live = [sku for sku, item in sandbox.shown().items() if _live(item)]
    assert not live, f"removed but still live: {live}"


async def _there_and_back(shelf: Shelf, changed: Shelf, sandbox: SandboxServer, connector: Connector, sku: str) -> None:
    # The ids are still those of the listings that were removed: they are gone, and have to be made anew.
    await shelf.bring(connector, list(shelf.listings))
    shown = _shown(sandbox)
    assert shown.keys() >= shelf.listings.keys(), "listed again but not shown"
    changed.remote_ids, changed.position = shelf.remote_ids, shelf.position  # positions only ever rise
    await changed.bring(connector, [sku])
    shelf.position = changed.position
    after = _shown(sandbox)
    assert after[sku] != shown[sku], f"{sku} was changed, but not what is shown of it"
    assert {k: v for k, v in after.items() if k != sku} == {k: v for k, v in shown.items() if k != sku}
    await shelf.bring(connector, [sku])
    assert _shown(sandbox) == shown, f"{sku} was changed and changed back, but is shown in another way"


async def _faults(shelf: Shelf, sandbox: SandboxServer, connector: Connector, sku: str) -> None:
    for facet in shelf.listings[sku]:
        for faults, expected in (
            (Faults(outage=True), Unavailable),
            (Faults(html_503=True), Unavailable),
            (Faults(throttle_next=1), Throttled),
        ):
            sandbox.faults = faults
            outcome = await shelf.push(connector, sku, facet)
            assert isinstance(outcome, expected), f"{facet} under {faults}: {outcome}"
            sandbox.faults = Faults()
        outcome = await shelf.push(connector, sku, facet, attempt=2)
        assert isinstance(outcome, Confirmed), f"{facet} after the faults: {outcome}"


async def _lost_answer(shelf: Shelf, sandbox: SandboxServer, connector: Connector, single: list[str]) -> None:
    first, second = single[:2]
    creating = shelf.manifest.facets[0]
    await shelf.bring(connector, [first])  # has its token now, so that the lost answer is the create's
    sandbox.faults.drop_answer_next = 1
    outcome = await shelf.push(connector, second, creating)
    # A create by PUT may have been repeated by the HTTP client itself, which does so when a kept connection is cut.
    assert isinstance(outcome, Unavailable | Confirmed), f"a create without an answer: {outcome}"
    shelf.remote_ids.pop(second, None)
    outcome = await shelf.push(connector, second, creating, attempt=2)
    assert isinstance(outcome, Confirmed), f"the second attempt: {outcome}"
    shown = _shown(sandbox)
    assert shown.keys() == {first, second}, f"these are shown: {sorted(shown)}"
    await shelf.bring(connector, [second])
    assert _shown(sandbox) == shown, "the second attempt did not bring the whole listing"


async def _wrong_credentials(shelf: Shelf, sandbox: SandboxServer, connector: Connector, single: list[str]) -> None:
    for facet in shelf.listings[single[0]]:
        outcome = await shelf.push(connector, single[0], facet)
        assert not isinstance(outcome, Confirmed), f"{facet} was brought with wrong credentials"
    assert not sandbox.shown(), "something is shown after pushes with wrong credentials"


def _shown(sandbox: SandboxServer) -> dict[str, Payload]:
    return {sku: dict(item) for sku, item in sandbox.shown().items()}


def _live(item: Payload) -> bool:
    return bool(item.get("live", True))
