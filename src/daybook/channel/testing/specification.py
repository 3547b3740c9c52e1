"""Given these events, the channel should show this: and proof, on the way, that fold and render are pure."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from daybook.catalogue.reference import EMPTY, Reference, fold_reference
from daybook.channel.contract import Held, Manifest, Payload
from daybook.channel.testing.changes import check_changes
from daybook.channel.testing.history import History
from daybook.events import Recorded


@contextmanager
def no_side_doors() -> Iterator[None]:
    """While this holds, the clock, chance, files, sockets and the environment raise AssertionError."""
    with ExitStack() as doors:
        for name in (
            *("time.time", "time.monotonic", "random.random", "random.getrandbits", "uuid.uuid4"),
            *("builtins.open", "socket.socket", "os.getenv", "os.urandom"),
        ):
            doors.enter_context(patch(name, side_effect=AssertionError(f"fold and render must not use {name}")))
        yield


def render(manifest: Manifest, history: History) -> dict[tuple[str, str], Payload | Held]:
    """What the channel should show after this history: every group folded and rendered."""
    groups, reference = _fold(manifest, history.recorded)
    return _render(manifest, groups, reference)


def _fold(
    manifest: Manifest, recorded: Sequence[Recorded], groups: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], Reference]:
    folded, reference = dict(groups or {}), EMPTY
    for each in recorded:
        reference = fold_reference(reference, each.event)
        if manifest.reads.folds(each):
            folded[each.key] = manifest.fold(folded.get(each.key), each)
    return folded, reference


def _render(
    manifest: Manifest, groups: Mapping[str, Any], reference: Reference
) -> dict[tuple[str, str], Payload | Held]:
    rendered: dict[tuple[str, str], Payload | Held] = {}
    for state in groups.values():
        if state is not None:
            found = manifest.render(state, reference)
            assert not rendered.keys() & found.keys(), f"two groups render {rendered.keys() & found.keys()}"
            rendered.update(found)
    return rendered


def check_pure(manifest: Manifest, history: History) -> dict[tuple[str, str], Payload | Held]:
    """The rendering, after proof that fold and render are pure and a state may be stored between any two events.

    For a history of n events the rest is folded n times: histories in tests are short.
    """
    stored_type: Any = dict.__class_getitem__((str, manifest.state | None))
    with no_side_doors():
        before = msgspec.json.encode(history.recorded)
        groups, reference = _fold(manifest, history.recorded)
        states = msgspec.json.encode((groups, reference))
        rendered = _render(manifest, groups, reference)
        assert msgspec.json.encode((groups, reference)) == states, "render changed its input"
        assert _render(manifest, groups, reference) == rendered, "rendering twice gave two results"
        assert _fold(manifest, history.recorded)[0] == groups, "folding twice gave two states"
        partial: dict[str, Any] = {}
        for at, each in enumerate(history.recorded):
            if not manifest.reads.folds(each):
                continue
            state = partial.get(each.key)
            held = msgspec.json.encode(state)
            partial[each.key] = manifest.fold(state, each)
            assert msgspec.json.encode(state) == held, f"fold changed its input at position {each.position}"
            stored = msgspec.json.decode(msgspec.json.encode(partial), type=stored_type)
            assert stored == partial, f"the state after position {each.position} does not survive storing"
            resumed, _ = _fold(manifest, history.recorded[at + 1 :], stored)
            assert _render(manifest, resumed, reference) == rendered, f"stored after {each.position}: another end"
        check_changes(manifest, history.recorded)
        assert msgspec.json.encode(history.recorded) == before, "fold changed an event"
    return rendered


class Specification:
    """What `given` returns."""

    def __init__(self, manifest: Manifest, history: History) -> None:
        self.manifest = manifest
        self.history = history

    def then(self, expected: Mapping[tuple[str, str], Payload | Held]) -> None:
        """The channel should show exactly this; AssertionError with a diff otherwise. Proves purity as well."""
        rendered = check_pure(self.manifest, self.history)
        if rendered != expected:
            diff = difflib.unified_diff(_lines(expected), _lines(rendered), "expected", "rendered", lineterm="")
            raise AssertionError("\n".join(("the listing is another one", *diff)))


def given(manifest: Manifest, history: History) -> Specification:
    """`given(manifest, history).then(expected)`."""
    return Specification(manifest, history)


def _lines(rendered: Mapping[tuple[str, str], Payload | Held]) -> list[str]:
    plain = {
        f"{sku} {facet}": {"HELD": p.reasons} if isinstance(p, Held) else p for (sku, facet), p in rendered.items()
    }
    return msgspec.json.format(msgspec.json.encode(plain, order="sorted"), indent=2).decode().splitlines()
