"""How the channels are doing, and what a person does about it: pause, resume, retry, send again."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from daybook.app import App
from daybook.channel import retrying
from daybook.channel.rejections import Filter, Refusal, rejections
from daybook.channel.resync import Choice, Resynced, resync
from daybook.channel.retrying import Retried
from daybook.channel.status import Channels, ChannelStatus
from daybook.errors import InvalidValue, Refused
from daybook.http.asking import either
from daybook.http.given import TheApp

LIMIT_MAX = 1000
Since = Annotated[
    str | None,
    QueryParameter(name="since", description="A time, or a position when it is all digits: only later ones."),
]


class RejectedPage(msgspec.Struct, frozen=True):
    """What the channel refused, by SKU and facet, and the `after` of the next page; null on the last one."""

    rejected: list[Refusal]
    next: str | None


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{}`: there is nothing to say, but a body that is named as JSON is what a foreign web page can't send."""


class Paused(msgspec.Struct, frozen=True):
    """Whether deliveries wait."""

    channel: str
    paused: bool


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to try again: `{}` is everything that stands still."""

    keys: tuple[str, ...] = ()
    """Only these parked product groups."""
    skus: tuple[str, ...] = ()
    """Only what was rejected of these SKUs."""
    code: str | None = None
    """Only what was rejected with this code."""
    rejected: bool = False
    """Only what was rejected, no parked groups."""


class Resync(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to send again although it was acknowledged. What is given must all hold."""

    skus: tuple[str, ...] = ()
    since: str | None = None
    """A time, or a position when it is all digits: facets whose wanted state changed after it."""
    locale: str | None = None
    """Product groups with a change of a text in this locale; a language (`nl`) means all its locales."""
    all: bool = False
    """The whole channel, when nothing else is given."""
    dry_run: bool = False
    """Only count."""


@get("/channels", sync_to_thread=True, summary="The channels")
def channels(app: TheApp) -> list[ChannelStatus]:
    """Every channel and read model that ever ran: what it shows, what is on its way, and what is wrong."""
    return Channels(app.pool, app.registry).all()


@get("/channels/{name:str}", sync_to_thread=True, summary="A channel")
def channel(app: TheApp, name: FromPath[str]) -> ChannelStatus:
    """What it shows, what is on its way, and what is wrong. 404 also for one that never ran."""
    return Channels(app.pool, app.registry).status(name)


@get("/channels/{name:str}/rejected", sync_to_thread=True, summary="What a channel refused")
def rejected(
    app: TheApp,
    name: FromPath[str],
    code: FromQuery[str | None] = None,
    sku: FromQuery[list[str] | None] = None,
    facet: FromQuery[str | None] = None,
    since: Since = None,
    after: FromQuery[str] = "",
    limit: FromQuery[int] = 100,
) -> RejectedPage:
    """By product, with the marketplace's own reasons. Filters must all hold; `sku` may be given several times."""
    app.registry.get(name)
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidValue("limit", f"must be between 1 and {LIMIT_MAX}", limit)
    wanted = Filter(channel=name, code=code, skus=tuple(sku or ()), facet=facet, since=_position(app, since) or 0)
    found = rejections(app.pool, wanted, limit, (name, *_place(after)) if after else ("", "", ""))
    return RejectedPage(found, f"{found[-1].facet}:{found[-1].sku}" if len(found) == limit else None)


@post("/channels/{name:str}/pause", sync_to_thread=True, status_code=200, summary="Pause a channel")
def pause(app: TheApp, name: FromPath[str], data: JSONBody[Nothing]) -> Paused:
    """Nothing is sent until it is resumed; its listings go on. The body is `{}`."""
    Channels(app.pool, app.registry).pause(name, True)
    return Paused(name, True)


@post("/channels/{name:str}/resume", sync_to_thread=True, status_code=200, summary="Resume a channel")
def resume(app: TheApp, name: FromPath[str], data: JSONBody[Nothing]) -> Paused:
    """It is brought to its newest state, also when it had asked not to be called any more. The body is `{}`."""
    Channels(app.pool, app.registry).pause(name, False)
    return Paused(name, False)


@post("/channels/{name:str}/retry", sync_to_thread=True, status_code=200, summary="Try again what stands still")
def retry(app: TheApp, name: FromPath[str], data: JSONBody[Retry]) -> Retried:
    """Offers what was rejected again, and folds parked groups again."""
    dsn, manifest = app.settings.require_postgres(), app.registry.get(name)
    return retrying.retry(
        dsn, app.pool, manifest, keys=data.keys, skus=data.skus, code=data.code, rejected=data.rejected
    )


@post("/channels/{name:str}/resync", sync_to_thread=True, status_code=200, summary="Send again")
def send_again(app: TheApp, name: FromPath[str], data: JSONBody[Resync]) -> Resynced:
    """Sends again what the channel has confirmed. What is under way or was rejected is left alone."""
    manifest = app.registry.get(name)
    choice = Choice(skus=data.skus, since=_position(app, data.since), locale=data.locale)
    if choice.all and not (data.all or data.dry_run):
        raise Refused(
            f"this sends all that {name} has confirmed again: say `all` if that is meant, or `dry_run` to count",
            channel=name,
        )
    return resync(app.pool, manifest, choice, dry_run=data.dry_run)


def _position(app: App, since: str | None) -> int | None:
    return None if since is None else either(app.reader, since).position


def _place(after: str) -> tuple[str, str]:
    facet, colon, sku = after.partition(":")
    if not colon:
        raise InvalidValue("after", "must be the `next` of a page", after)
    return sku, facet


HANDLERS = (channels, channel, rejected, pause, resume, retry, send_again)
