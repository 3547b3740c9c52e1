"""What a channel is. A folder in `projections/` gives one `Manifest`; the engine does the rest.

The two functions are pure: no I/O, clock, randomness or environment. So the same code runs live, in a rebuild, for
a past moment and for a what-if.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from daybook.catalogue.reference import Reference
from daybook.events import ChannelConfigured, Recorded, Rejection

Payload = dict[str, Any]
"""A facet in the channel's own vocabulary, as JSON values. Equal payloads have equal hashes; key order is free."""


class Held(msgspec.Struct, frozen=True):
    """Instead of a payload: the SKU can't be shown on this channel as things are, and why, for a person to read.

    A held creating facet is taken off the channel if it is there.
    """

    reasons: tuple[str, ...]


Rendered = Mapping[tuple[str, str], Payload | Held]
"""(SKU, facet) -> what the channel should show. What is missing should not be on the channel."""


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """One facet of one SKU to bring to the channel, and what else the connector may need for it."""

    sku: str
    key: str
    facet: str
    payload: Payload | None
    """None: take the facet off; for the creating facet, the whole listing."""
    listing: Mapping[str, Payload]
    """All facets of the SKU as they should be, so that a listing can be created in one request."""
    remote_id: str | None
    """The channel's id for this SKU, once a receipt told it."""
    remote_ids: Mapping[str, str]
    """The channel's ids for the SKUs of the same group that it has."""
    position: int
    """Position of the change that this payload shows: rises with every newer state."""
    attempt: int
    """1 for the first try. Above 1 the outcome of an earlier try may be unknown: look up before creating again."""


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """The channel shows it. `covers` names the facets that this one request brought, when it was more than one."""

    covers: tuple[str, ...] = ()
    remote_id: str | None = None


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The channel took it for processing; `confirm` is called later with `submission` to learn the end."""

    submission: str
    covers: tuple[str, ...] = ()
    remote_id: str | None = None
    check_after_seconds: float = 1.0


class Rejected(msgspec.Struct, frozen=True):
    """The channel refused it, in its own words. Not tried again until a newer state, or a person asks."""

    reasons: tuple[Rejection, ...]


class Throttled(msgspec.Struct, frozen=True):
    """Too fast. Not a failure: the channel is left alone for so many seconds."""

    retry_after_seconds: float | None = None


class Unavailable(msgspec.Struct, frozen=True):
    """The channel is down, or its answer was lost: tried again with backoff. `reason` is for people."""

    reason: str
    retry_after_seconds: float | None = None


class Waiting(msgspec.Struct, frozen=True):
    """It needs something that the channel does not have yet, such as its parent. Tried again soon, not a failure."""

    reason: str


Outcome = Confirmed | Accepted | Rejected | Throttled | Unavailable | Waiting


class Connector(Protocol):
    """One HTTP request to the channel (and its token). No retry, no loop, no storage: the engine has those."""

    async def push(self, push: Push) -> Outcome:
        """Brings one facet to the channel. Never raises for what the channel or the network does."""
        ...

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """What became of an accepted submission: Confirmed, Rejected, or Accepted when it is still under way."""
        ...

    async def close(self) -> None:
        """Lets go of its connections."""
        ...


class Sandbox(Protocol):
    """A small server that behaves like the marketplace: see `daybook.channel.sandbox`."""

    async def start(self, port: int = 0) -> str:
        """Listens on the loopback interface and returns its base URL."""
        ...

    async def stop(self) -> None: ...

    def settings(self) -> dict[str, str]:
        """What a connector must be told to use it: `url` and credentials that it will accept."""
        ...

    def shown(self) -> Mapping[str, Payload]:
        """What the marketplace shows its buyers now, by SKU: price, stock, title, in plain terms."""
        ...


Fold = Callable[[Any, Recorded], Any]
Render = Callable[[Any, Reference], Rendered]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One projection. Without a connector it is a read model only."""

    name: str
    title: str
    version: int
    """Of fold and render together: raise it when what they give changes, and rebuild."""
    state: type[Any]
    """A msgspec type: what `fold` gives and `render` takes."""
    fold: Fold
    """fold(state | None, recorded) -> state | None, one product group at a time, in the order of positions."""
    render: Render
    """render(state, reference) -> listing. Must depend on nothing else."""
    facets: tuple[str, ...] = ()
    """In the order in which they are sent; the first one creates the listing and takes it off."""
    defaults: ChannelConfigured
    """Settings that hold until a `channel.configured` event says otherwise."""
    lane: Literal["sku", "group"] = "sku"
    """What must be sent one after the other: one SKU's facets, or a whole group's."""
    connector: Callable[[Mapping[str, str]], Connector] | None = None
    """Given the settings of DAYBOOK_CHANNEL_<NAME>_*: `url` and credentials."""
    sandbox: Callable[[], Sandbox] | None = None
    in_flight_max: int = 8
    """Requests under way at once."""
    keeps_history: bool = False
    """For a projection without connector: every version of its listing is kept, with the positions between which it
    stood, so that what it showed at any position is looked up and not folded. `render` must not look at the reference
    then: a change of it would have to be told for groups to which nothing happened."""
    searched: str | None = None
    """With `keeps_history`: the facet whose payloads can be searched. Keep it small and seldom changing."""
