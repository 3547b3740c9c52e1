"""Documents for other people's pages: what a channel says of a product in a vocabulary that machines read."""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.datastructures import ResponseHeader
from litestar.params import FromPath

from daybook.queries.documents import document
from daybook.web.caller import Known
from daybook.web.declared import UNCHANGED
from daybook.web.dependencies import InjectedApp
from daybook.web.needs import needs
from daybook.web.responses import embeddable, tagged

MEDIA_TYPE = "application/ld+json"
POSITION = "Daybook-Position"
_POSITION = ResponseHeader(
    name=POSITION, description="Up to which the listing has every event.", documentation_only=True, value=""
)


@get(
    "/channels/{name:str}/documents/{sku:str}",
    **(UNCHANGED | {"response_headers": [*UNCHANGED["response_headers"], _POSITION]}),
    media_type=MEDIA_TYPE,
    **needs("listing.read", channel="name", sku="sku"),
    summary="A product's document on a channel",
)
def show_document(
    app: InjectedApp, name: FromPath[str], sku: FromPath[str], if_none_match: Known = None
) -> Response[dict[str, Any]]:
    """What a page about the product embeds, as JSON-LD, from the channel's live listing. Honours If-None-Match.

    `Daybook-Position` is the position up to which the listing has every event.
    """
    found = document(app.pool, app.reader, app.registry, name, sku)
    encoded = embeddable(msgspec.json.encode(found.body, order="deterministic"))
    return tagged(if_none_match, encoded, "", MEDIA_TYPE, {POSITION: str(found.position)})


ROUTES: tuple[Any, ...] = (show_document,)
