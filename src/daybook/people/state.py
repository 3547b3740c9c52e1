"""What a person's events add up to: what a decision about him or her rests on. Pure, and without any value."""

import msgspec

from daybook.events import Event, PersonAdded, PersonChanged, PersonErased


class PersonState(msgspec.Struct, frozen=True):
    """Whether a person is known, or was erased, and where the values are."""

    revision: str
    """The sealed row that holds the values."""
    erased: bool = False


def evolve(state: PersonState | None, event: Event) -> PersonState | None:
    """The state after an event of the stream `person/<id>`."""
    match event:
        case PersonAdded(revision=revision) | PersonChanged(revision=revision):
            return PersonState(revision)
        case PersonErased():
            return PersonState("", erased=True)
    return state
