"""The connector half of the contract suite: what must hold through the life of a listing, a variant and a group."""

from collections.abc import Sequence

import msgspec

from daybook.channel.contract import ChannelUnavailable, Confirmed, Connector, Payload, ReadsBack, Shown, Throttled
from daybook.channel.reach import SWITCHES
from daybook.channel.sandbox import Faults, SandboxServer
from daybook.channel.testing.expected import Expected, check_shown
from daybook.channel.testing.shelf import Shelf


class TrialChange(msgspec.Struct, frozen=True, kw_only=True):
    """Another state of the catalogue, and which SKUs it is about. None but these and their pages may look different."""

    name: str
    shelf: Shelf
    expected: dict[str, Expected]
    skus: tuple[str, ...]


class TrialPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the suite takes a connector through."""

    shelf: Shelf
    expected: dict[str, Expected]
    single: Sequence[str]
    """SKUs that need no parent, two at least."""
    changes: Sequence[TrialChange]
    """Each is brought to the listed catalogue, and taken back."""


async def check_connector(plan: TrialPlan) -> None:
    """Takes a new connector through each part of the plan, against a new sandbox. Raises AssertionError."""
    assert len(plan.single) >= 2, "the contract needs two products without variants that the channel shows"
    manifest = plan.shelf.manifest
    assert manifest.connector is not None and manifest.sandbox is not None
    for check in (_life, _lost_answer, _wrong_credentials):
        sandbox = manifest.sandbox()
        assert isinstance(sandbox, SandboxServer), "a sandbox is a SandboxServer"
        await sandbox.start()
        settings = sandbox.settings()
        unknown = settings.keys() - {one.key for one in manifest.settings} - SWITCHES.keys()
        assert not unknown, f"the connector reads settings that the manifest does not declare: {sorted(unknown)}"
        if check is _wrong_credentials:
            kept = ("url", *SWITCHES)
            settings = {name: value if name.endswith(kept) else "wrong" for name, value in settings.items()}
        connector = manifest.connect(settings)
        plan.shelf.remote_ids.clear()
        try:
            await check(plan, sandbox, connector)
        finally:
            await connector.close()
            await sandbox.stop()


async def _life(plan: TrialPlan, sandbox: SandboxServer, connector: Connector) -> None:
    shelf, everything = plan.shelf, list(plan.shelf.listings)
    await shelf.bring(connector, everything)
    shown = _shown(sandbox)
    check_shown(shelf.manifest, plan.expected, shown, everything)
    await shelf.take(
        connector, [(sku, name, False) for sku in everything for name in shelf.listings[sku]], covered=False
    )
    assert _shown(sandbox) == shown, "bringing the same facets again changed what is shown"
    await _read_back(shelf, connector)
    await _faults(shelf, sandbox, connector, plan.single[0])
    assert _shown(sandbox) == shown, "a refused push changed what is shown"
    for sku in reversed(everything):
        for attempt in (1, 2):
            outcome = await shelf.push(connector, sku, shelf.manifest.facets[0], remove=True, attempt=attempt)
            assert isinstance(outcome, Confirmed), f"removing {sku}, time {attempt}: {outcome}"
    live = [sku for sku, item in sandbox.shown().items() if _live(item)]
    assert not live, f"removed but still live: {live}"
    # The ids are still those of the listings that were removed: they are gone, and have to be made anew.
    await shelf.bring(connector, everything)
    check_shown(shelf.manifest, plan.expected, _shown(sandbox), everything)
    for change in plan.changes:
        await _there_and_back(plan, change, sandbox, connector)


async def _there_and_back(plan: TrialPlan, change: TrialChange, sandbox: SandboxServer, connector: Connector) -> None:
    before, after, shown = plan.shelf, change.shelf, _shown(sandbox)
    after.remote_ids, after.position = before.remote_ids, before.position  # positions only ever rise
    await after.take(connector, before.differences(after))
    before.position = after.position
    changed = _shown(sandbox)
    check_shown(before.manifest, change.expected, changed, after.listings)
    for sku in change.skus:
        assert changed.get(sku) != shown[sku], f"{sku} was changed ({change.name}), but not what is shown of it"
        gone = sku not in after.listings
        assert not (gone and _live(changed.get(sku, {"live": False}))), f"{sku} was taken off but is still live"
    about = {*change.skus, *(before.keys[sku] for sku in change.skus)}
    others = [sku for sku in before.listings if sku not in about]
    moved = [sku for sku in others if changed.get(sku) != shown[sku]]
    assert not moved, f"these were not changed ({change.name}), and are shown in another way: {moved}"
    await before.take(connector, after.differences(before))
    assert _shown(sandbox) == shown, f"changed ({change.name}) and changed back, but shown in another way"


async def _read_back(shelf: Shelf, connector: Connector) -> None:
    if not isinstance(connector, ReadsBack):
        return
    for sku, listing in shelf.listings.items():
        seen = await connector.read(shelf.describe(sku, shelf.manifest.facets[0]))
        assert isinstance(seen, Shown), f"reading {sku} back: {seen}"
        for facet, payload in seen.facets.items():
            assert payload == listing.get(facet), f"{facet} of {sku} is untouched, but read back as {payload}"


async def _faults(shelf: Shelf, sandbox: SandboxServer, connector: Connector, sku: str) -> None:
    for facet in shelf.listings[sku]:
        for faults, expected in (
            (Faults(outage=True), ChannelUnavailable),
            (Faults(html_503=True), ChannelUnavailable),
            (Faults(throttle_next=1), Throttled),
        ):
            sandbox.faults = faults
            outcome = await shelf.push(connector, sku, facet)
            assert isinstance(outcome, expected), f"{facet} under {faults}: {outcome}"
            sandbox.faults = Faults()
        outcome = await shelf.push(connector, sku, facet, attempt=2)
        assert isinstance(outcome, Confirmed), f"{facet} after the faults: {outcome}"


async def _lost_answer(plan: TrialPlan, sandbox: SandboxServer, connector: Connector) -> None:
    shelf, (first, second) = plan.shelf, plan.single[:2]
    await shelf.bring(connector, [first])  # has its token now, so that the lost answer is the create's
    await _create_unanswered(shelf, sandbox, connector, second)
    shown = _shown(sandbox)
    assert shown.keys() == {first, second}, f"these are shown: {sorted(shown)}"
    await shelf.bring(connector, [second])
    assert _shown(sandbox) == shown, "the second attempt did not bring the whole listing"
    for root in {key for sku, key in shelf.keys.items() if sku != key and {sku, key} <= shelf.listings.keys()}:
        await _create_unanswered(shelf, sandbox, connector, root)
        group = [sku for sku in shelf.listings if shelf.keys[sku] == root]
        await shelf.bring(connector, group)
        check_shown(shelf.manifest, plan.expected, _shown(sandbox), [first, second, *group])


async def _create_unanswered(shelf: Shelf, sandbox: SandboxServer, connector: Connector, sku: str) -> None:
    creating = shelf.manifest.facets[0]
    sandbox.faults.drop_answer_next = 1
    outcome = await shelf.push(connector, sku, creating)
    # A create by PUT may have been repeated by the HTTP client itself, which does so when a kept connection is cut.
    assert isinstance(outcome, ChannelUnavailable | Confirmed), f"a create of {sku} without an answer: {outcome}"
    shelf.remote_ids.pop(sku, None)
    outcome = await shelf.push(connector, sku, creating, attempt=2)
    assert isinstance(outcome, Confirmed), f"the second attempt for {sku}: {outcome}"


async def _wrong_credentials(plan: TrialPlan, sandbox: SandboxServer, connector: Connector) -> None:
    sku = plan.single[0]
    for facet in plan.shelf.listings[sku]:
        outcome = await plan.shelf.push(connector, sku, facet)
        assert not isinstance(outcome, Confirmed), f"{facet} was brought with wrong credentials"
    assert not sandbox.shown(), "something is shown after pushes with wrong credentials"


def _shown(sandbox: SandboxServer) -> dict[str, Payload]:
    return {sku: dict(item) for sku, item in sandbox.shown().items()}


def _live(item: Payload) -> bool:
    return bool(item.get("live", True))
