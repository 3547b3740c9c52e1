"""What a channel is. A folder in `projections/` gives one `Manifest`; the engine does the rest.

The two functions are pure: no I/O, clock, randomness or environment. So the same code runs live, in a rebuild, for
a past moment and for a what-if.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from daybook.catalogue.reference import Reference
from daybook.channel.orders import OrdersIn
from daybook.channel.pacing import Pace
from daybook.channel.reach import SWITCHES, NetworkReach, connecting, hidden, secrets_of
from daybook.channel.reads import PRODUCTS
from daybook.channel.reads import Reads as Reads
from daybook.errors import BadConfiguration
from daybook.events import ChannelConfigured, Event, Recorded, Rejection

NAME = re.compile(r"[a-z][a-z0-9]{0,30}\Z")
"""Of a projection. No underscore: DAYBOOK_CHANNEL_<NAME>_<KEY> could not be taken apart."""

Payload = dict[str, Any]
"""A facet in the channel's own vocabulary, as JSON values. Equal payloads have equal hashes; key order is free."""


class Held(msgspec.Struct, frozen=True):
    """Instead of a payload: the SKU can't be shown on this channel as things are, and why, for a person to read.

    A held creating facet is taken off the channel if it is there.
    """

    reasons: tuple[str, ...]


Rendered = Mapping[tuple[str, str], Payload | Held]
"""(SKU, facet) -> what the channel should show. What is missing should not be on the channel."""


class SkuChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one command, or one batch, changed of one SKU of a group that is listed already."""

    sku: str
    before: Any
    """The group's state before it."""
    after: Any
    """The state now."""
    reference: Reference
    listed: tuple[str, ...]
    """The facets of the SKU that are listed, held ones included."""
    stock_only: bool
    """Nothing but its stock has changed."""


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
    receipt: int = 0
    """Position of this facet's newest receipt, 0 before the first. All tries to bring a state have the same; a state
    that is brought anew, after a resync or a repair, has another one."""
    attempt: int
    """1 for the first try. Above 1 the outcome of an earlier try may be unknown: look up before creating again."""

    @property
    def idempotency_key(self) -> str:
        """Names the work by what it is about and its inputs: the same on every try, in a replay and a restored book."""
        about = msgspec.json.encode((self.sku, self.facet, self.payload), order="sorted")
        return hashlib.blake2b(about, digest_size=16).hexdigest()


Findings = tuple[Event, ...]
"""What a work found out and nobody can compute again, of the classes in `Manifest.findings`: recorded in one command
with the receipt, or not at all. No data of a person may be in it: an event is kept for ever."""


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """The channel shows it. `covers` names the facets that this one request brought, when it was more than one."""

    covers: tuple[str, ...] = ()
    remote_id: str | None = None
    findings: Findings = ()


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The channel took it for processing; `confirm` is called later with `submission` to learn the end."""

    submission: str
    covers: tuple[str, ...] = ()
    remote_id: str | None = None
    check_after_seconds: float = 1.0
    findings: Findings = ()
    overtakable: bool = False
    """Of `confirm`: the channel tells of no submission how it ended, so one that was overtaken by another request looks
    for ever as if it were under way. Where two workers may have sent, it is then not waited for as long as usual."""


class Rejected(msgspec.Struct, frozen=True):
    """The channel refused it, in its own words. Not tried again until a newer state, or a person asks."""

    reasons: tuple[Rejection, ...]
    findings: Findings = ()


class Throttled(msgspec.Struct, frozen=True):
    """Too fast. Not a failure: the channel is left alone for so many seconds.

    With an `operation` only this lane is put off: the connector's pace holds the operation back by itself.
    """

    retry_after_seconds: float | None = None
    operation: str | None = None


class ChannelUnavailable(msgspec.Struct, frozen=True):
    """The channel is down, or its answer was lost: tried again with backoff. `reason` is for people."""

    reason: str
    retry_after_seconds: float | None = None


class Waiting(msgspec.Struct, frozen=True):
    """It needs something that the channel does not have yet, such as its parent. Tried again soon, not a failure.

    After some minutes it is tried once a minute, and after an hour a person is told. What can't come by itself, because
    somebody has to change something, is Rejected.
    """

    reason: str


class Stopped(msgspec.Struct, frozen=True):
    """The channel wants no more calls (410 Gone from a webhook): it is paused for this reason, until a person acts."""

    reason: str


class Lost(msgspec.Struct, frozen=True):
    """Of `confirm` only: the submission is over and left nothing, as what it was about is gone from the channel.

    What it had to bring is pushed anew at once, as a second attempt, with the whole listing at hand.
    """

    reason: str


Outcome = Confirmed | Accepted | Rejected | Throttled | ChannelUnavailable | Waiting | Stopped | Lost


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
        """What became of an accepted submission: Confirmed, Rejected, Lost, or Accepted when it is still under way."""
        ...

    async def close(self) -> None:
        """Lets go of its connections."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A connector that keeps to its channel's rates. The engine tells the pace how many workers share them."""

    @property
    def pace(self) -> Pace: ...


@runtime_checkable
class Validates(Protocol):
    """A connector whose channel can be asked what it would say, without anything being changed there."""

    async def validate(self, push: Push) -> tuple[Rejection, ...]:
        """What the channel says against it; empty when it would take it. Raises Refused when it can't be asked now."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """A connector that can read back what the channel shows."""

    async def read(self, push: Push) -> "Shown | Throttled | ChannelUnavailable | Rejected":
        """What the channel shows of `push.sku`; `push.listing` is what it acknowledged, to compare wordings with."""
        ...


@runtime_checkable
class SendsBatches(Protocol):
    """A connector that can bring many SKUs with one request."""

    def gathers(self, push: Push) -> str | None:
        """Pushes with the same answer may go together (a batch for one operation); None: this one goes alone."""
        ...

    async def push_all(self, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """Brings them in one request, at most `Manifest.gather_max`; an outcome for each, in order. Never raises for
        what the channel or the network does. A single push of `gathers` is given to `push` instead."""
        ...


class StockRule(msgspec.Struct, frozen=True):
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


class Setting(msgspec.Struct, frozen=True):
    """One value of a channel's connection: an address, a credential, a choice."""

    key: str
    about: str
    """What it is, for the person who has to give it."""
    optional: bool = False
    unless: str | None = None
    """The key of another setting that makes this one needless."""
    recorded: bool = False
    """May be given with the command that adds the channel, so by everybody who may add one. Never for a credential,
    nor for what says where credentials go or what may be reached: those are the operator's, in files and variables."""


Fold = Callable[[Any, Recorded], Any]
Render = Callable[[Any, Reference], Rendered]
RenderChange = Callable[[SkuChange], Rendered | None]
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
    """fold(state | None, recorded) -> state | None, one key at a time (see `reads`), in the order of positions."""
    render: Render
    """render(state, reference) -> listing. Must depend on nothing else."""
    kind: Literal["listing", "work"] = "listing"
    """A listing is what a channel should show. A work is something to be done to the inputs that a payload holds: other
    inputs are other work, and the same ones are never worked on twice, in no replay and no restored book."""
    findings: tuple[type, ...] = ()
    """Classes of events that outcomes may carry. They go into a stream of this projection's own, under the same key."""
    reads: Reads = PRODUCTS
    """Of which keys, and which types of events. A key that is an order's has one state for each order."""
    render_change: RenderChange | None = None
    """render_change(change) -> the part of what `render` gives now that differs from what it gave before; more of it
    does no harm. None: render it all, as also when something is not listed any more. Pure, and only there to be fast:
    in a group of thousands of variants a change of one then costs what it changed, not what the group holds."""
    facets: tuple[str, ...] = ()
    """In the order in which they are sent; the first one creates the listing and takes it off."""
    open_facets: bool = False
    """Facets may be named by what they are about, `name@de-DE`: they go after `facets`, and none holds back another."""
    defaults: ChannelConfigured
    """Settings that hold until a `channel.configured` event says otherwise."""
    lane: Literal["sku", "group"] = "sku"
    """What must be sent one after the other: one SKU's facets, or a whole group's."""
    connector: Callable[[Mapping[str, str]], Connector] | None = None
    """Given the values of `settings`. Opens its connections on first use. Raises BadConfiguration for a value that it
    can't use, naming its variable DAYBOOK_CHANNEL_<NAME>_<KEY>. The engine calls `connect`."""
    settings: tuple[Setting, ...] = ()
    """All that the connector reads: from files, from the variables DAYBOOK_CHANNEL_<NAME>_<KEY>, and, where `recorded`
    says so, from the command that added the channel. `reach.SWITCHES` are every channel's."""
    sandbox: Callable[[], Sandbox] | None = None
    in_flight_max: int = 8
    """Lanes under way at once; a request of many SKUs counts for each."""
    stock: StockRule | None = None
    last_facets: tuple[str, ...] = ()
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
    renamed_to: "Callable[[str], Manifest] | None" = None
    """The same kind of channel under another name, so that it can be added at run time; None: there is only this one.

    A name is 1 to 31 small letters and digits, a letter first. The facets, the state and the code must be the same."""
    document: Document | None = None
    """document(sku, listing, reference) -> what a page about the SKU embeds, as JSON-LD; None for nothing.
    `listing`: that of the SKU's group, SKU -> facet -> payload, without what is held. Must depend on nothing else."""
    searched: str | None = None
    """With `keeps_history`: the facet whose payloads can be searched. Keep it small and seldom changing."""
    found_by: str | None = None  # the facet that products are found by: see `projection/found.py`
    orders: OrdersIn | None = None
    """How its orders come in; None: they come another way, if there are any."""

    def lane_of(self, sku: str, key: str) -> str:
        """The lane in which a SKU's requests go one after the other."""
        return key if self.lane == "group" else sku

    def rank_of(self, facet: str) -> int:
        """A facet's place in the order of sending; one that the manifest has dropped comes last."""
        return self.facets.index(facet) if facet in self.facets else len(self.facets)

    def lacks(self, given: Mapping[str, str]) -> tuple[str, ...]:
        """The keys of the settings without which the connector can't be made, in the order of `settings`."""
        return tuple(
            one.key
            for one in self.settings
            if not (one.optional or given.get(one.key) or (one.unless is not None and given.get(one.unless)))
        )

    def recordable(self) -> tuple[str, ...]:
        """The keys of the settings that may be in the log."""
        return tuple(one.key for one in self.settings if one.recorded and one.key not in SWITCHES)

    def connect(self, given: Mapping[str, str]) -> Connector:
        """The connector. Raises BadConfiguration naming all settings that are missing, and what it raises itself.

        Every `Calls` that is made meanwhile goes only where these settings let it go, and gives no answer that repeats
        a secret of theirs.
        """
        if self.connector is None:
            raise BadConfiguration(f"{self.name} is a read model: it has no connection to anything")
        if missing := self.lacks(given):
            variables = [f"DAYBOOK_CHANNEL_{self.name.upper()}_{key.upper()}" for key in missing]
            raise BadConfiguration(
                f"the channel {self.name} has no {', '.join(missing)}: set {', '.join(variables)}", field=variables[0]
            )
        tokens = connecting.set(NetworkReach.of(given, self.recordable())), hidden.set(secrets_of(given))
        try:
            return self.connector(given)
        finally:
            connecting.reset(tokens[0])
            hidden.reset(tokens[1])


def check_name(name: str) -> str:
    """A projection's name, which becomes part of table names. Raises BadConfiguration."""
    if not NAME.match(name):
        raise BadConfiguration(f"the projection name {name!r} must match {NAME.pattern}")
    return name
