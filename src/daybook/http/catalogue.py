"""The whole catalogue at a moment."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.datastructures import ResponseHeader
from litestar.params import FromPath, QueryParameter

from daybook.access.authority import reach
from daybook.filters.names import check_channel, check_defined
from daybook.filters.visible import check_within
from daybook.queries.catalogue import PageThen, page_then
from daybook.queries.catalogue_diff import CatalogueDiff, Comparison, Filters
from daybook.queries.timeline import catalogue_at
from daybook.web.declared import QUESTION
from daybook.web.dependencies import InjectedApp, InjectedPrincipal
from daybook.web.moments import At, From, Position, To, either, moment
from daybook.web.needs import needs
from daybook.web.pages import AfterKey, GroupLimit

_CODE = {"minLength": 1, "maxLength": 100}
Family = Annotated[str | None, QueryParameter(name="family", description="A product has it.", schema_extra=_CODE)]
Category = Annotated[
    str | None, QueryParameter(name="category", description="A product is in this very one.", schema_extra=_CODE)
]
ListedOn = Annotated[
    str | None, QueryParameter(name="listed_on", description="A product is sold there.", schema_extra=_CODE)
]
_WARNING = ResponseHeader(
    name="Warning", description="Why the timeline was not used.", documentation_only=True, value=""
)


@get(
    "/catalogue",
    **QUESTION,
    response_headers=[_WARNING],
    **needs("product.read", listed=True),
    summary="The catalogue at a moment",
)
def show_catalogue(
    app: InjectedApp,
    principal: InjectedPrincipal,
    after: AfterKey = None,
    limit: GroupLimit = 50,
    family: Family = None,
    category: Category = None,
    listed_on: ListedOn = None,
    at: At = None,
    position: Position = None,
) -> Response[PageThen]:
    """Product groups with complete descriptions, a page at a time, now or at a moment.

    A Warning says when the timeline does not cover the moment: the answer is the same, only slower.
    """
    within = reach(principal, "product.read")
    check_within(within, listed_on, "listed_on", "product.read")
    check_defined(app.reader.reference(), family=family, category=category)
    if listed_on is not None:
        check_channel(app, listed_on, "listed_on")
    then = catalogue_at(app.pool, app.reader, app.registry, moment(app.reader, at, position).position)
    reference = app.reader.reference(then.position)
    found = page_then(
        then,
        reference,
        after or "",
        limit,
        family=family,
        category=category,
        listed_on=listed_on,
        reach=within,
        reader=app.reader,
    )
    return Response(found, headers={} if then.reason is None else {"Warning": f'199 daybook "{then.reason}"'})


@get("/catalogue/diff", **QUESTION, **needs("product.read", listed=True), summary="What differs between two moments")
def compare_catalogue(
    app: InjectedApp,
    principal: InjectedPrincipal,
    since: From,
    until: To = None,
    after: AfterKey = None,
    limit: GroupLimit = 50,
    family: Family = None,
    category: Category = None,
) -> CatalogueDiff:
    """The products that are otherwise, field by field, a page of product groups at a time.

    A page may be short while there is a next one. Only what changed in between is read.
    """
    check_defined(app.reader.reference(), family=family, category=category)
    comparison = Comparison(
        app.reader,
        either(app.reader, since, "from"),
        either(app.reader, until, "to"),
        filters=Filters(family=family, category=category),
        reach=reach(principal, "product.read"),
    )
    return comparison.page(after or "", limit)


@get(
    "/channels/{channel:str}/diff",
    **QUESTION,
    **needs("listing.read", channel="channel"),
    summary="What differs in a channel's listings between two moments",
)
def compare_listings(
    app: InjectedApp,
    principal: InjectedPrincipal,
    channel: FromPath[str],
    since: From,
    until: To = None,
    after: AfterKey = None,
    limit: GroupLimit = 50,
) -> CatalogueDiff:
    """What the channel should show otherwise, facet by facet, as its code of today makes it of both moments."""
    comparison = Comparison(
        app.reader,
        either(app.reader, since, "from"),
        either(app.reader, until, "to"),
        channel=app.registry.get_even_removed(channel),
        reach=reach(principal, "listing.read"),
    )
    return comparison.page(after or "", limit)


ROUTES: tuple[Any, ...] = (show_catalogue, compare_catalogue, compare_listings)
