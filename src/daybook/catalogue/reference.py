"""The reference state: the small shared part of the catalogue that every rendering may look at. Pure."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from daybook.events import (
    AttributeDefined,
    AttributeOption,
    AttributeOptionsGiven,
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
    options_given: dict[str, tuple[AttributeOption, ...]] = {}
    """Attribute -> options whose definition has not come yet; only in between the events of one command."""

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
    return fold_references(reference, (event,))


def fold_references(reference: Reference, events: Iterable[Event]) -> Reference:
    """The reference after all of the events. One by one would copy every definition for each of them."""
    drafts: dict[str, dict[str, Any]] = {}

    def draft(field: str) -> dict[str, Any]:
        if field not in drafts:
            drafts[field] = dict(getattr(reference, field))
        return drafts[field]

    for event in events:
        _apply(event, draft)
    return replace(reference, **drafts) if drafts else reference


def _apply(event: Event, draft: Callable[[str], dict[str, Any]]) -> None:
    match event:
        case AttributeOptionsGiven(code=code, options=options):
            given = draft("options_given")
            given[code] = (*given.get(code, ()), *options)
        case AttributeDefined(code=code):
            before = draft("options_given").pop(code, ())
            draft("attributes")[code] = replace(event, options=(*before, *event.options)) if before else event
        case FamilyDefined():
            draft("families")[event.code] = event
        case CategoryDefined():
            draft("categories")[event.code] = event
        case ChannelConfigured():
            draft("channels")[event.name] = event
        case ChannelAdded():
            draft("added")[event.name] = event
            draft("removed").pop(event.name, None)
        case ChannelRemoved():
            draft("channels").pop(event.name, None)
            draft("added").pop(event.name, None)
            draft("removed")[event.name] = event
