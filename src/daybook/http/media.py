"""Pictures and documents of a product."""

from typing import Annotated, Any

from litestar import Response, delete, post
from litestar.params import FromPath, JSONBody, QueryParameter

from daybook import limits
from daybook.commands import AddMedia, RemoveMedia
from daybook.events import MediaAdded
from daybook.web.declared import COMMAND
from daybook.web.dependencies import InjectedApp, InjectedCaller
from daybook.web.needs import needs
from daybook.web.responses import Receipt, carry_out

PATH = "/products/{sku:str}/media"
MediaId = Annotated[
    str,
    QueryParameter(
        name="media_id",
        description="The item's id, which may be a URL.",
        schema_extra={"minLength": 1, "maxLength": limits.ADDRESS.most},
    ),
]


@post(PATH, **COMMAND, **needs("product.change", command=True), summary="Add a media item")
def add_media(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], data: JSONBody[MediaAdded]
) -> Response[Receipt]:
    """An item with the same id is replaced."""
    return carry_out(app, caller, AddMedia(sku=sku, media=data), f"product/{sku}")


@delete(PATH, **COMMAND, **needs("product.change", command=True), summary="Remove a media item")
def remove_media(app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], media_id: MediaId) -> Response[Receipt]:
    """The id is a parameter, since it may be a URL."""
    return carry_out(app, caller, RemoveMedia(sku=sku, media_id=media_id), f"product/{sku}")


ROUTES: tuple[Any, ...] = (add_media, remove_media)
