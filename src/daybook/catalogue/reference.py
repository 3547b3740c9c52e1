"""The reference state: the small shared part of the catalogue that every rendering may look at. Pure."""

import msgspec
from msgspec.structs import replace

from daybook.events import (
    AttributeDefined,
    CategoryDefined,
    ChannelAdded,
    ChannelConfigured,
    ChannelRemoved,
    Event,
    FamilyDefined,
)


class Reference(msgspec.Struct, frozen=True):
    """Every definition, newest first standing, by code."""

    attributes: dict[str, AttributeDefined] = {}
    families: dict[str, FamilyDefined] = {}
    categories: dict[str, CategoryDefined] = {}
    channels: dict[str, ChannelConfigured] = {}
    added: dict[str, ChannelAdded] = {}
    """Channels that came at run time. Not for renderings, which are not told of a change of it."""
    removed: dict[str, ChannelRemoved] = {}
    """Channels that went and did not come back."""

    def category_path(self, code: str) -> tuple[CategoryDefined, ...]:
        """The category and its ancestors, root first. Stops at an unknown parent and at a cycle."""
        path: list[CategoryDefined] = []
        seen: set[str] = set()
        at: str | None = code
        while at is not None and at not in seen and at in self.categories:
            seen.add(at)
            path.append(self.categories[at])
            at = self.categories[at].parent
        return tuple(reversed(path))


EMPTY = Reference()


def fold_reference(reference: Reference, event: Event) -> Reference:
    """The reference after the event; the very same object when the event is none of its business."""
    match event:
        case AttributeDefined():
            return replace(reference, attributes=reference.attributes | {event.code: event})
        case FamilyDefined():
            return replace(reference, families=reference.families | {event.code: event})
        case CategoryDefined():
            return replace(reference, categories=reference.categories | {event.code: event})
        case ChannelConfigured():
            return replace(reference, channels=reference.channels | {event.name: event})
        case ChannelAdded():
            removed = {name: one for name, one in reference.removed.items() if name != event.name}
            return replace(reference, added=reference.added | {event.name: event}, removed=removed)
        case ChannelRemoved():
            return _without(reference, event)
        case _:
            return reference


def _without(reference: Reference, event: ChannelRemoved) -> Reference:
    return replace(
        reference,
        channels={name: one for name, one in reference.channels.items() if name != event.name},
        added={name: one for name, one in reference.added.items() if name != event.name},
        removed=reference.removed | {event.name: event},
    )
