"""The whole catalogue at a moment."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.datastructures import ResponseHeader
from litestar.params import QueryParameter

from daybook.access.authority import reach
from daybook.http.declared import QUESTION
from daybook.http.dependencies import InjectedApp, InjectedPrincipal
from daybook.http.moments import At, Position, moment
from daybook.http.needs import needs
from daybook.http.pages import AfterKey, GroupLimit
from daybook.queries.catalogue import PageThen, page_then
from daybook.queries.timeline import catalogue_at

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
        reach=reach(principal, "product.read"),
    )
    return Response(found, headers={} if then.reason is None else {"Warning": f'199 daybook "{then.reason}"'})


ROUTES: tuple[Any, ...] = (show_catalogue,)
