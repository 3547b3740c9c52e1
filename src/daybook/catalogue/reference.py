"""The reference state: the small shared part of the catalogue that every rendering may look at. Pure."""

import msgspec
from msgspec.structs import replace

from daybook.events import AttributeDefined, CategoryDefined, ChannelConfigured, Event, FamilyDefined


class Reference(msgspec.Struct, frozen=True):
    """Every definition, newest first standing, by code."""

    attributes: dict[str, AttributeDefined] = {}
    families: dict[str, FamilyDefined] = {}
    categories: dict[str, CategoryDefined] = {}
    channels: dict[str, ChannelConfigured] = {}

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
        case _:
            return reference
