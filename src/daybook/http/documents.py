"""Documents for other people's pages: what a channel says of a product in a vocabulary that machines read."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from daybook.http.answers import tagged
from daybook.http.given import TheApp
from daybook.queries.documents import document

MEDIA_TYPE = "application/ld+json"
POSITION = "Daybook-Position"


@get(
    "/channels/{name:str}/documents/{sku:str}",
    sync_to_thread=True,
    media_type=MEDIA_TYPE,
    summary="A product's document on a channel",
)
def channel_document(
    app: TheApp, request: Request[Any, Any, Any], name: FromPath[str], sku: FromPath[str]
) -> Response[Any]:
    """What a page about the product embeds, as JSON-LD, from the channel's live listing. Honours If-None-Match.

    `Daybook-Position` is the position up to which the listing has every event.
    """
    found = document(app.pool, app.reader, app.registry, name, sku)
    encoded = msgspec.json.encode(found.body, order="deterministic")
    return tagged(request, encoded, "", MEDIA_TYPE, {POSITION: str(found.position)})


HANDLERS = (channel_document,)
