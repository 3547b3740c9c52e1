"""A reference that remembers what was looked up in it, so that a change renders again exactly what it touches.

What a rendering reads is noted as `families/backpacks`; looking for something that is not there counts, as it may be
defined later; going through all of a kind is noted as `families/*`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from daybook.catalogue.reference import Reference
from daybook.events import (
    AttributeDefined,
    CategoryDefined,
    ChannelConfigured,
    ChannelRemoved,
    Event,
    FamilyDefined,
)


class _Tracked(Mapping[str, Any]):
    """One kind of definitions; reads are noted in `seen`."""

    def __init__(self, kind: str, inner: Mapping[str, Any], seen: set[str]) -> None:
        self._kind = kind
        self._inner = inner
        self._seen = seen

    def __getitem__(self, code: str) -> Any:
        self._seen.add(f"{self._kind}/{code}")
        return self._inner[code]

    def __iter__(self) -> Iterator[str]:
        self._seen.add(f"{self._kind}/*")
        return iter(self._inner)

    def __len__(self) -> int:
        self._seen.add(f"{self._kind}/*")
        return len(self._inner)


class TrackedReference:
    """The same reference for one rendering after the other; `used` tells what the last one looked at."""

    def __init__(self, reference: Reference) -> None:
        self._seen: set[str] = set()
        self.reference = Reference(
            attributes=_Tracked("attributes", reference.attributes, self._seen),  # type: ignore[arg-type]
            families=_Tracked("families", reference.families, self._seen),  # type: ignore[arg-type]
            categories=_Tracked("categories", reference.categories, self._seen),  # type: ignore[arg-type]
            channels=_Tracked("channels", reference.channels, self._seen),  # type: ignore[arg-type]
            removed=_Tracked("channels", reference.removed, self._seen),  # type: ignore[arg-type]
        )

    def begin(self) -> Reference:
        """Forgets what was looked up so far and gives the reference to render with."""
        self._seen.clear()
        return self.reference

    def used(self) -> tuple[str, ...]:
        """What was looked up since `begin`, sorted."""
        return tuple(sorted(self._seen))


def touched_by(event: Event) -> tuple[str, ...]:
    """What a reference event changes, in the words of `TrackedReference.used`; empty for other events."""
    match event:
        case AttributeDefined(code=code):
            return (f"attributes/{code}", "attributes/*")
        case FamilyDefined(code=code):
            return (f"families/{code}", "families/*")
        case CategoryDefined(code=code):
            return (f"categories/{code}", "categories/*")
        case ChannelConfigured(name=name) | ChannelRemoved(name=name):
            return (f"channels/{name}", "channels/*")
        case _:
            return ()
