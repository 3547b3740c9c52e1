"""What a channel is. A folder in `projections/` gives one `Manifest`; the engine does the rest.

The two functions are pure: no I/O, clock, randomness or environment. So the same code runs live, in a rebuild, for
a past moment and for a what-if.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

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
    group: Mapping[str, Mapping[str, Payload]] = {}
    """The same for every SKU of its group, where the lane is the group; empty otherwise."""
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
    """Too fast. Not a failure: the channel is left alone for so many seconds.

    With an `operation` only this lane is put off: the connector's pace holds the operation back by itself.
    """

    retry_after_seconds: float | None = None
    operation: str | None = None


class Unavailable(msgspec.Struct, frozen=True):
    """The channel is down, or its answer was lost: tried again with backoff. `reason` is for people."""

    reason: str
    retry_after_seconds: float | None = None


class Waiting(msgspec.Struct, frozen=True):
    """It needs something that the channel does not have yet, such as its parent. Tried again soon, not a failure."""

    reason: str


class Stopped(msgspec.Struct, frozen=True):
    """The channel wants no more calls (410 Gone from a webhook): it is paused for this reason, until a person acts."""

    reason: str


Outcome = Confirmed | Accepted | Rejected | Throttled | Unavailable | Waiting | Stopped


class Shown(msgspec.Struct, frozen=True):
    """What the channel shows of a SKU now, read back: a facet's payload as it was or would have been sent.

    An absent facet can't be read back; None is a facet that the channel does not show. A field that the channel does
    not give back, or gives back in other words (rounded, reordered, trimmed), is the connector's to put right: what was
    brought and is untouched compares equal to the payload that was pushed.
    """

    facets: Mapping[str, Payload | None]


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


@runtime_checkable
class Reads(Protocol):
    """A connector that can read back what the channel shows."""

    async def read(self, push: Push) -> "Shown | Throttled | Unavailable | Rejected":
        """What the channel shows of `push.sku`; `push.listing` is what it acknowledged, to compare wordings with."""
        ...


@runtime_checkable
class Gathers(Protocol):
    """A connector that can bring many SKUs with one request."""

    def gathers(self, push: Push) -> str | None:
        """Pushes with the same answer may go together (a batch for one operation); None: this one goes alone."""
        ...

    async def push_all(self, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """Brings them in one request, at most `Manifest.gather_max`; an outcome for each, in order. Never raises for
        what the channel or the network does. A single push of `gathers` is given to `push` instead."""
        ...


class Stock(msgspec.Struct, frozen=True):
    """Which facet says how many may be sold, so that the engine can send a smaller number first and a greater one last.

    A greater number waits until the `price` facet is confirmed: marketplaces have sold at the old price in between.
    """

    facet: str
    price: str
    amount: Callable[[Payload], int]
    """How many a payload of the facet offers. Pure."""


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
Document = Callable[[str, Mapping[str, Mapping[str, Payload]], Reference], Payload | None]


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
    """Given the channel's settings: `url` and what else it was added with, and its credentials from files and the
    variables DAYBOOK_CHANNEL_<NAME>_*. Raises BadConfiguration naming the variable of a setting that is missing."""
    sandbox: Callable[[], Sandbox] | None = None
    in_flight_max: int = 8
    """Lanes under way at once; a request of many SKUs counts for each."""
    stock: Stock | None = None
    alongside: tuple[str, ...] = ()
    """Facets whose submission takes long and holds nothing back: they are sent last, and while the channel works on one
    the SKU's other facets go on."""
    gather_max: int = 1
    """How many pushes may go in one request, when the connector gathers."""
    submission_seconds_max: float = 3600.0
    """A submission that was accepted and has no end after so long counts as lost: it is brought anew."""
    refresh_seconds: float | None = None
    """What was confirmed so long ago is brought again: the channel forgets what is not refreshed."""
    variants_hang_on_root: bool = False
    """When the root of a group gets another id on the channel, its variants are brought anew."""
    keeps_history: bool = False
    """For a projection without connector: every version of its listing is kept, with the positions between which it
    stood, so that what it showed at any position is looked up and not folded. `render` must not look at the reference
    then: a change of it would have to be told for groups to which nothing happened."""
    another: "Callable[[str], Manifest] | None" = None
    """The same kind of channel under another name, so that it can be added at run time; None: there is only this one.

    A name is 1 to 31 small letters and digits, a letter first. The facets, the state and the code must be the same."""
    document: Document | None = None
    """document(sku, listing, reference) -> what a page about the SKU embeds, as JSON-LD; None when there is nothing to
    tell. `listing` is that of the SKU's group, SKU -> facet -> payload, without what is held. Must depend on nothing
    else."""
    searched: str | None = None
    """With `keeps_history`: the facet whose payloads can be searched. Keep it small and seldom changing."""
