"""Which projections there are: those installed, with the channels that the log says came, without those that went.

What is installed is found by entry point, so another distribution can ship one. What came and went is read from the
log, so that a long-lived process learns of it without a restart.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import entry_points
from typing import Literal, Self

import msgspec

from daybook.channel.contract import NAME, Manifest
from daybook.errors import BadConfiguration, DaybookError, InvalidValue, NotFound, Refused
from daybook.events import ChannelAdded, ChannelConfigured, ChannelRemoved, Recorded
from daybook.events.codec import NAMES

ENTRY_POINTS = "daybook.projections"
SEEN_SECONDS = 1.0
"""How old an answer may be. Who asks for a name that is not there is answered from the log as it is now."""
TYPES = (NAMES[ChannelAdded], NAMES[ChannelRemoved])

News = Callable[[int], Sequence[Recorded]]
"""The events of `TYPES` after a position, in order."""


Purpose = Literal["sale", "work", "reading"]


def purpose_of(manifest: Manifest) -> Purpose:
    """What a projection is there for: to sell on, to have something done, to be asked."""
    if manifest.connector is None:
        return "reading"
    return "work" if manifest.kind == "work" else "sale"


class Kind(msgspec.Struct, frozen=True):
    """A kind of channel, as far as a command that adds one has to know it."""

    defaults: Callable[[str], ChannelConfigured]
    """The settings with which one of this name begins; raises InvalidValue and Refused for the name."""
    recordable: tuple[str, ...]
    """Settings of its connector that the command may hold."""
    purpose: Purpose = "sale"
    """Products are listed, and orders come, where they are for sale alone."""


class _Snapshot(msgspec.Struct, frozen=True):
    """The log up to a position, and what follows from it."""

    position: int
    event_id: str
    """Of the last event that was seen, which is read again each time."""
    added: dict[str, ChannelAdded]
    gone: dict[str, ChannelAdded | None]
    """Channels that went: as they were added, or None for one that is installed."""
    there: dict[str, Manifest]
    broken: dict[str, str]
    """Channels that were added and can't be made, and why."""


class Registry:
    """The projections by name, in order of their names. Thread-safe."""

    def __init__(self, manifests: Sequence[Manifest], news: News | None = None) -> None:
        self._installed = {one.name: one for one in sorted(manifests, key=lambda one: one.name)}
        if len(self._installed) != len(manifests):
            raise BadConfiguration("two installed projections have the same name: uninstall one of them")
        self._news = news
        self._made: dict[tuple[str, str], Manifest] = {}
        self._nothing = _Snapshot(0, "", {}, {}, self._installed, {})
        self._seen = self._nothing
        self._seen_at = -SEEN_SECONDS

    def following(self, news: News) -> Self:
        """The same projections, and the channels that come and go by the log."""
        return type(self)(list(self._installed.values()), news)

    @property
    def installed(self) -> frozenset[str]:
        """Names of the channels that came with a distribution, also of those that went."""
        return frozenset(one.name for one in self._installed.values() if one.connector is not None)

    def refresh(self) -> None:
        """Reads the log now: for who has just written to it."""
        self._look()

    def all(self) -> list[Manifest]:
        """Every projection that there is."""
        return list(self._now().there.values())

    def channels(self) -> list[Manifest]:
        """Those that are sales channels: they have a connector."""
        return [one for one in self.all() if one.connector is not None]

    def get(self, name: str) -> Manifest:
        """The projection of this name. NotFound for one that never was or went, BadConfiguration for a broken one."""
        seen = self._now()
        if name not in seen.there:
            seen = self._look()
        if name in seen.there:
            return seen.there[name]
        if name in seen.broken:
            raise BadConfiguration(f"the channel {name} can't be made: {seen.broken[name]}", channel=name)
        if name in seen.gone:
            raise NotFound(f"the channel {name} was removed; `daybook channel add {name}` brings it back", channel=name)
        there = ", ".join(seen.there) or "none"
        raise NotFound(f"there is no projection {name!r}; installed are: {there}", channel=name)

    def get_even_removed(self, name: str) -> Manifest:
        """The projection of this name, also when it went: for questions about the past, and to clear up behind it."""
        went = self.removed().get(name, msgspec.UNSET)
        if went is msgspec.UNSET:
            return self.get(name)
        return self._installed[name] if went is None else self._make(went)

    def removed(self) -> Mapping[str, ChannelAdded | None]:
        """The channels that went and did not come back."""
        return self._now().gone

    def broken(self) -> Mapping[str, str]:
        """Channels that were added and can't be made, and why: their kind is not installed any more."""
        return self._now().broken

    def settings(self, name: str) -> Mapping[str, str]:
        """What the channel was added with; empty for one that only came with its distribution."""
        one = self._now().added.get(name)
        return {} if one is None else one.settings

    def as_added(self, name: str) -> ChannelAdded | None:
        """As the channel was added last, whether it is there or went; None for one that never was added."""
        seen = self._look()
        return seen.added.get(name) or seen.gone.get(name)

    def kinds(self) -> Mapping[str, Kind]:
        """The kinds of projections that are installed, by name."""
        return {
            name: Kind(partial(self._defaults, name), one.recordable(), purpose_of(one))
            for name, one in self._installed.items()
        }

    def _defaults(self, kind: str, name: str) -> ChannelConfigured:
        if not NAME.match(name):
            raise InvalidValue("name", "must be 1 to 31 small letters and digits, starting with a letter", name)
        if name != kind and name in self._installed:
            raise Refused(f"{name} is an installed projection: choose another name", channel=name)
        try:
            return self._make(ChannelAdded(name=name, kind=kind)).defaults
        except BadConfiguration as error:
            raise Refused(error.message, channel=name) from None

    def _make(self, one: ChannelAdded) -> Manifest:
        kind = self._installed.get(one.kind)
        if kind is None:
            raise BadConfiguration(f"its kind {one.kind} is not installed", channel=one.name)
        if one.name == one.kind:
            return kind
        if kind.renamed_to is None:
            raise BadConfiguration(f"there can be only one {one.kind}, under its own name", channel=one.name)
        # Made once: who runs a channel compares the manifest with the one that it runs.
        made = self._made.get((one.kind, one.name)) or kind.renamed_to(one.name)
        if made.name != one.name or made.connector is None:
            raise BadConfiguration(f"{one.kind} gave another channel than {one.name}", channel=one.name)
        return self._made.setdefault((one.kind, one.name), made)

    def _now(self) -> _Snapshot:
        return self._look() if time.monotonic() - self._seen_at >= SEEN_SECONDS else self._seen

    def _look(self) -> _Snapshot:
        """What the log says now. Two threads may both read the news: they come to equal answers."""
        seen = self._seen
        if self._news is None:
            return seen
        looked = time.monotonic()
        news = self._news(max(0, seen.position - 1))
        if seen.position and (not news or news[0].event_id != seen.event_id):
            # The log came back at an earlier moment, without the event that was seen last: all of it is read anew.
            self._seen = self._with(self._nothing, self._news(0))
        elif news := news[1:] if seen.position else news:
            seen = self._with(seen, news)
            if seen.position > self._seen.position:
                self._seen = seen
        self._seen_at = looked
        return self._seen

    def _with(self, seen: _Snapshot, news: Sequence[Recorded]) -> _Snapshot:
        if not news:
            return seen
        added, gone = dict(seen.added), dict(seen.gone)
        for one in news:
            match one.event:
                case ChannelAdded(name=name):
                    added[name] = one.event
                    gone.pop(name, None)
                case ChannelRemoved(name=name) if name in added or name in self.installed:
                    gone[name] = added.pop(name, None)
        there = {name: one for name, one in self._installed.items() if name not in gone}
        broken = {}
        for name, channel in added.items():
            try:
                there[name] = self._make(channel)
            except Exception as error:  # whatever its kind's own code raises: the other channels go on
                there.pop(name, None)
                broken[name] = error.message if isinstance(error, DaybookError) else repr(error)
        return _Snapshot(news[-1].position, news[-1].event_id, added, gone, dict(sorted(there.items())), broken)


def installed() -> Registry:
    """Every projection whose distribution is installed. A broken one stops the program and is named."""
    manifests: list[Manifest] = []
    for point in entry_points(group=ENTRY_POINTS):
        try:
            found = point.load()
        except Exception as error:
            raise BadConfiguration(f"the projection {point.name} ({point.value}) can't be loaded: {error!r}") from error
        if not isinstance(found, Manifest):
            raise BadConfiguration(f"the entry point {point.name} ({point.value}) is no Manifest")
        manifests.append(found)
    return Registry(manifests)
