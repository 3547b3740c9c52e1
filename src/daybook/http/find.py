"""Products that are found by words and terms."""

from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter

from daybook import limits
from daybook.access.authority import reach
from daybook.search.find import COUNTED_BY, FoundProducts, Search
from daybook.search.terms import EXAMPLES, wanted
from daybook.web.declared import QUESTION
from daybook.web.dependencies import InjectedApp, InjectedPrincipal
from daybook.web.needs import needs
from daybook.web.pages import AfterKey, GroupLimit

_SCHEMA = {"maxLength": limits.FILTER.most}
Words = Annotated[
    str | None,
    QueryParameter(name="q", description="Words in any language, a SKU or a GTIN.", schema_extra=_SCHEMA),
]
Where = Annotated[
    list[str] | None,
    QueryParameter(
        name="where",
        description=f"A term that must hold, such as {EXAMPLES}. May be repeated: all of them must.",
        schema_extra={"maxItems": limits.FIND_TERMS.most},
    ),
]
CountBy = Annotated[
    str | None,
    QueryParameter(
        name="count_by", description=f"Count by {', '.join(COUNTED_BY)} or an attribute.", schema_extra=_SCHEMA
    ),
]


@get("/find", **QUESTION, **needs("product.read", listed=True), summary="Find products")
def find_products(
    app: InjectedApp,
    principal: InjectedPrincipal,
    q: Words = None,
    where: Where = None,
    count_by: CountBy = None,
    after: AfterKey = None,
    limit: GroupLimit = 50,
) -> FoundProducts:
    """Products by their words, with typing mistakes forgiven where nothing has them as they are, and by terms."""
    search = Search(app, wanted(q, where or ()), reach(principal, "product.read"), reach(principal, "channel.read"))
    return search.page(after or "", limit, count_by)


ROUTES: tuple[Any, ...] = (find_products,)
