"""The contract of every work: done once for the same inputs, found out the same way, undone, and told of nobody.

check_work(manifest, History().happened(settings, OrderPlaced(...), OrderPaid(...)), people={...})
"""

import asyncio
from collections.abc import Mapping

import msgspec

from daybook.channel import personal
from daybook.channel.contract import (
    ChannelUnavailable,
    Confirmed,
    Connector,
    Findings,
    Held,
    Manifest,
    Outcome,
    Payload,
    Throttled,
)
from daybook.channel.personal import Lookups, Person
from daybook.channel.reach import SWITCHES
from daybook.channel.sandbox import Faults, SandboxServer
from daybook.channel.testing.history import History
from daybook.channel.testing.shelf import Shelf
from daybook.channel.testing.specification import check_pure
from daybook.events.envelope import KEY_BEGINS

People = Mapping[str, Person]


def check_work(manifest: Manifest, history: History, people: People) -> None:
    """The contract suite of a work. `history` must lead to at least two pieces of it; `people` is the vault.

    The sandbox's `shown()` tells what was done by subject, and must raise when something was done twice.
    """
    assert manifest.kind == "work", f"{manifest.name} is a {manifest.kind}: see check_channel"
    assert manifest.defaults.name == manifest.name, "the defaults are another projection's"
    rendered = check_pure(manifest, history)
    keys = _keys(manifest, history, rendered)
    shelf = Shelf(manifest, keys, rendered)
    assert sum(map(len, shelf.listings.values())) >= 2, "the contract needs two pieces of work"
    for (subject, facet), payload in rendered.items():
        assert manifest.open_facets or facet in manifest.facets, f"{facet} of {subject} is not in the manifest's facets"
        if not isinstance(payload, Held):
            body = msgspec.json.encode(payload, order="sorted")
            assert msgspec.json.decode(body) == payload, f"{facet} of {subject} is not plain JSON"
    asyncio.run(_check_connector(shelf, people))


def _keys(manifest: Manifest, history: History, rendered: Mapping[tuple[str, str], object]) -> dict[str, str]:
    """Subject -> the key of which it was rendered."""
    there = {each.key for each in history.recorded}
    begins = [KEY_BEGINS.get(kind, "") for kind in manifest.reads.keys]
    found = {}
    for subject, _ in rendered:
        key = next((begin + subject for begin in begins if begin + subject in there), None)
        assert key is not None, f"{subject} is rendered, and no order, person or product has this name"
        found[subject] = key
    return found


async def _check_connector(shelf: Shelf, people: People) -> None:
    manifest = shelf.manifest
    assert manifest.sandbox is not None
    for check in (_life, _lost_answers, _wrong_credentials):
        sandbox = manifest.sandbox()
        assert isinstance(sandbox, SandboxServer), "a sandbox is a SandboxServer"
        await sandbox.start()
        settings = sandbox.settings()
        unknown = settings.keys() - {one.key for one in manifest.settings} - SWITCHES.keys()
        assert not unknown, f"the connector reads settings that the manifest does not declare: {sorted(unknown)}"
        if check is _wrong_credentials:
            secret = {one.key for one in manifest.settings if not one.optional and one.key != "url"}
            settings = {name: "wrong" if name in secret else value for name, value in settings.items()}
        connector = _connected(manifest, settings, people)
        shelf.remote_ids.clear()
        try:
            await check(shelf, sandbox, connector, people)
        finally:
            await connector.close()
            await sandbox.stop()


def _connected(manifest: Manifest, settings: Mapping[str, str], people: People) -> Connector:
    async def lookup(person: str) -> Person | None:
        return people.get(person)

    token = personal.people.set(lookup)
    try:
        return manifest.connect(settings)
    finally:
        personal.people.reset(token)


async def _life(shelf: Shelf, sandbox: SandboxServer, connector: Connector, people: People) -> None:
    steps = [(subject, facet) for subject, facets in shelf.listings.items() for facet in facets]
    found = {step: await _done(shelf, connector, *step, people) for step in steps}
    shown = _shown(sandbox)
    assert shown, "all was done, and the sandbox shows nothing of it"
    for what in ("the same again", "the same out of a restored book, which knows no id"):
        for step in steps:
            again = await _done(shelf, connector, *step, people)
            assert again == found[step], f"{what}: {step} found out something else: {again}, not {found[step]}"
        assert _shown(sandbox) == shown, f"{what} changed what was done"
        shelf.remote_ids.clear()
    for step in steps:
        await _done(shelf, connector, *step, people)  # the ids are known again
    await _faults(shelf, sandbox, connector, steps[0], people)
    assert _shown(sandbox) == shown, "what was refused changed what was done"
    for subject, facet in reversed(steps):
        for attempt in (1, 2):
            outcome = await shelf.push(connector, subject, facet, remove=True, attempt=attempt)
            assert isinstance(outcome, Confirmed), f"undoing {facet} of {subject}, time {attempt}: {outcome}"
            _check_findings(shelf.manifest, outcome.findings, people)
        shelf.remote_ids.pop(subject, None)
    left = [subject for subject, one in sandbox.shown().items() if one.get("live", True)]
    assert not left, f"undone, and still there: {left}"


async def _faults(
    shelf: Shelf, sandbox: SandboxServer, connector: Connector, step: tuple[str, str], people: People
) -> None:
    for faults, expected in (
        (Faults(outage=True), ChannelUnavailable),
        (Faults(html_503=True), ChannelUnavailable),
        (Faults(throttle_next=1), Throttled),
    ):
        sandbox.faults = faults
        outcome = await shelf.push(connector, *step)
        assert isinstance(outcome, expected), f"{step} under {faults}: {outcome}"
        sandbox.faults = Faults()
    await _done(shelf, connector, *step, people, attempt=2)


async def _lost_answers(shelf: Shelf, sandbox: SandboxServer, connector: Connector, people: People) -> None:
    for subject, facets in shelf.listings.items():
        for facet in facets:
            for _ in range(3):  # whichever of its requests it is that loses its answer
                sandbox.faults.drop_answer_next = 1
                outcome = await shelf.push(connector, subject, facet, attempt=1)
                sandbox.faults = Faults()
                assert isinstance(outcome, ChannelUnavailable | Confirmed), f"a lost answer of {subject}: {outcome}"
                shelf.remote_ids.pop(subject, None)
            await _done(shelf, connector, subject, facet, people, attempt=2)
    _shown(sandbox)


async def _wrong_credentials(shelf: Shelf, sandbox: SandboxServer, connector: Connector, people: People) -> None:
    for subject, facets in shelf.listings.items():
        for facet in facets:
            outcome = await shelf.push(connector, subject, facet)
            assert not isinstance(outcome, Confirmed), f"{facet} of {subject} was done with wrong credentials"
    assert not sandbox.shown(), "something was done with wrong credentials"


async def _done(
    shelf: Shelf, connector: Connector, subject: str, facet: str, people: People, attempt: int = 1
) -> Findings:
    outcome: Outcome = await shelf.push(connector, subject, facet, attempt=attempt)
    assert isinstance(outcome, Confirmed), f"{facet} of {subject}: {outcome}"
    _check_findings(shelf.manifest, outcome.findings, people)
    return outcome.findings


def _check_findings(manifest: Manifest, findings: Findings, people: People) -> None:
    known = Lookups()
    for person in people.values():
        known.add(person)
    for one in findings:
        assert isinstance(one, manifest.findings), f"{type(one).__name__} is no finding that the manifest declares"
        body = msgspec.json.encode(one).decode().casefold()
        told = [value for value in known.values() if len(value) > 3 and value.casefold() in body]
        assert not told, f"{type(one).__name__} tells what the vault knows of a person"


def _shown(sandbox: SandboxServer) -> dict[str, Payload]:
    return {subject: dict(one) for subject, one in sandbox.shown().items()}
