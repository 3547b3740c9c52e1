"""What is on its way to a channel, and what a person does about it: pause, resume, retry, send again."""

from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from daybook import limits
from daybook.app import App
from daybook.delivery.rejected import Filter, RejectedFacet, rejections
from daybook.delivery.resync import Choice, Resynced
from daybook.delivery.retry import Retried, RetryChoice
from daybook.errors import InvalidValue, Refused
from daybook.operations import channels as operations
from daybook.operations.channels import Paused
from daybook.values import check_limit, check_text
from daybook.web.declared import ACTION, QUESTION
from daybook.web.dependencies import InjectedApp, InjectedAsker
from daybook.web.moments import Since, either
from daybook.web.needs import needs
from daybook.web.pages import AfterKey, RowLimit

_NAME = {"minLength": 1, "maxLength": limits.FILTER.most}
Code = Annotated[str | None, QueryParameter(name="code", description="The channel's own code.", schema_extra=_NAME)]
Facet = Annotated[str | None, QueryParameter(name="facet", description="Only this facet.", schema_extra=_NAME)]
Skus = Annotated[
    list[str] | None,
    QueryParameter(
        name="sku",
        description="Only this SKU; may be given several times.",
        schema_extra={"maxItems": limits.NAMED.most},
    ),
]


class RejectedPage(msgspec.Struct, frozen=True):
    """What the channel refused, by SKU and facet, and the `after` of the next page; null on the last one."""

    rejected: list[RejectedFacet]
    next: str | None


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{}`: there is nothing to say, but a body that is named as JSON is what a foreign web page can't send."""


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


@get(
    "/channels/{name:str}/rejected",
    **QUESTION,
    **needs("channel.read", channel="name"),
    summary="What a channel refused",
)
def list_rejected(
    app: InjectedApp,
    name: FromPath[str],
    code: Code = None,
    sku: Skus = None,
    facet: Facet = None,
    since: Since = None,
    after: AfterKey = None,
    limit: RowLimit = 100,
) -> RejectedPage:
    """By product, with the marketplace's own reasons. Filters must all hold; `sku` may be given several times."""
    app.registry.get(name)
    if not 1 <= limit <= limits.ROWS.most:
        raise InvalidValue("limit", f"must be between 1 and {limits.ROWS.most}", limit)
    _check_names(code=code, facet=facet, skus=sku or (), after=after)
    wanted = Filter(channel=name, code=code, skus=tuple(sku or ()), facet=facet, since=_position(app, since) or 0)
    found = rejections(app.pool, wanted, limit, (name, *_place(after)) if after else ("", "", ""))
    return RejectedPage(found, f"{found[-1].facet}:{found[-1].sku}" if len(found) == limit else None)


@post("/channels/{name:str}/pause", **ACTION, **needs("channel.pause", channel="name"), summary="Pause a channel")
def pause_channel(app: InjectedApp, asker: InjectedAsker, name: FromPath[str], data: JSONBody[Nothing]) -> Paused:
    """Nothing is sent until it is resumed; its listings go on. Who paused it is recorded. The body is `{}`."""
    return operations.pause(app, name, asker)


@post("/channels/{name:str}/resume", **ACTION, **needs("channel.pause", channel="name"), summary="Resume a channel")
def resume_channel(app: InjectedApp, asker: InjectedAsker, name: FromPath[str], data: JSONBody[Nothing]) -> Paused:
    """It is brought to its newest state, also when it had asked not to be called any more. The body is `{}`."""
    return operations.resume(app, name, asker)


@post(
    "/channels/{name:str}/retry",
    **ACTION,
    **needs("channel.retry", channel="name"),
    summary="Try again what stands still",
)
def retry_channel(app: InjectedApp, asker: InjectedAsker, name: FromPath[str], data: JSONBody[Retry]) -> Retried:
    """Offers what was rejected again, and folds parked groups again. Who asked for it is recorded."""
    _check_names(code=data.code, keys=data.keys, skus=data.skus)
    choice = RetryChoice(keys=data.keys, skus=data.skus, code=data.code, rejected=data.rejected)
    return operations.retry(app, name, choice, asker)


@post("/channels/{name:str}/resync", **ACTION, **needs("channel.resync", channel="name"), summary="Send again")
def resync_channel(app: InjectedApp, asker: InjectedAsker, name: FromPath[str], data: JSONBody[Resync]) -> Resynced:
    """Sends again what the channel has confirmed, and records who asked for it. What is under way or was rejected is
    left alone."""
    _check_names(skus=data.skus, locale=data.locale)
    app.registry.get(name)
    choice = Choice(skus=data.skus, since=_position(app, data.since), locale=data.locale)
    if choice.all and not (data.all or data.dry_run):
        raise Refused(
            f"this sends all that {name} has confirmed again: say `all` if that is meant, or `dry_run` to count",
            channel=name,
        )
    return operations.resync(app, name, choice, asker, dry_run=data.dry_run)


def _check_names(**given: str | list[str] | tuple[str, ...] | None) -> None:
    """Raises InvalidValue for too many names, and for one that is too long or that Postgres can't hold."""
    for field, names in given.items():
        some = (names,) if isinstance(names, str) else names or ()
        check_limit(limits.NAMED, len(some), field)
        for one in some:
            check_text(one, field, limits.FILTER)


def _position(app: App, since: str | None) -> int | None:
    return None if since is None else either(app.reader, since, "since").position


def _place(after: str) -> tuple[str, str]:
    facet, colon, sku = after.partition(":")
    if not colon:
        raise InvalidValue("after", "must be the `next` of a page", after)
    return sku, facet


ROUTES: tuple[Any, ...] = (*(list_rejected, pause_channel, resume_channel, retry_channel, resync_channel),)
