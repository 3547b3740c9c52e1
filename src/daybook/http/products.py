"""Commands about products."""

import msgspec
from litestar import Response, delete, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from daybook.commands import (
    AddMedia,
    AssignGtin,
    CategoriseProduct,
    ChangePrice,
    DelistProduct,
    DescribeProduct,
    DiscontinueProduct,
    ListProduct,
    ReinstateProduct,
    RemoveMedia,
    RemovePrice,
    SetAttributes,
)
from daybook.errors import Refused, VersionConflict
from daybook.events import AttributeChange, MediaAdded
from daybook.http.answers import Receipt, carry_out, same
from daybook.http.given import TheApp, TheCaller

PATH = "/api/v1/products"


class Attributes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values to set; null removes one; values that are not named stay."""

    changes: tuple[AttributeChange, ...]


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price in major units, as decimal text: `19.99`."""

    amount: str


class Gtin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The GTIN, or null for none."""

    gtin: str | None


class Categories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly these categories."""

    categories: tuple[str, ...]


@post("/products", sync_to_thread=True, status_code=201, summary="Create a product")
def create(app: TheApp, caller: TheCaller, data: JSONBody[DescribeProduct]) -> Response[Receipt]:
    """A new product, described whole. 409 when there is one: PUT describes it."""
    new = msgspec.structs.replace(caller, expected_version=0)
    try:
        return carry_out(app, new, data, f"product/{data.sku}", f"{PATH}/{data.sku}")
    except VersionConflict:
        raise Refused(f"product {data.sku} exists already: PUT {PATH}/{data.sku} describes it", sku=data.sku) from None


@put("/products/{sku:str}", sync_to_thread=True, summary="Describe a product")
def describe(app: TheApp, caller: TheCaller, sku: FromPath[str], data: JSONBody[DescribeProduct]) -> Response[Receipt]:
    """The product is exactly this: created when it is not there, else only the differences are recorded."""
    return carry_out(app, caller, data, f"product/{same(sku, data.sku, 'sku')}", f"{PATH}/{sku}")


@patch("/products/{sku:str}/attributes", sync_to_thread=True, summary="Set attribute values")
def set_attributes(app: TheApp, caller: TheCaller, sku: FromPath[str], data: JSONBody[Attributes]) -> Response[Receipt]:
    """Values that are not named stay as they are."""
    return carry_out(app, caller, SetAttributes(sku=sku, changes=data.changes), f"product/{sku}")


@put("/products/{sku:str}/prices/{price_list:str}/{currency:str}", sync_to_thread=True, summary="Change a price")
def change_price(
    app: TheApp,
    caller: TheCaller,
    sku: FromPath[str],
    price_list: FromPath[str],
    currency: FromPath[str],
    data: JSONBody[Amount],
) -> Response[Receipt]:
    """The price in one price list and currency."""
    wish = ChangePrice(sku=sku, amount=data.amount, currency=currency, price_list=price_list)
    return carry_out(app, caller, wish, f"product/{sku}")


@delete(
    "/products/{sku:str}/prices/{price_list:str}/{currency:str}",
    sync_to_thread=True,
    status_code=200,
    summary="Remove a price",
)
def remove_price(
    app: TheApp, caller: TheCaller, sku: FromPath[str], price_list: FromPath[str], currency: FromPath[str]
) -> Response[Receipt]:
    """No price any more in this list and currency."""
    return carry_out(app, caller, RemovePrice(sku=sku, currency=currency, price_list=price_list), f"product/{sku}")


@put("/products/{sku:str}/gtin", sync_to_thread=True, summary="Assign the GTIN")
def assign_gtin(app: TheApp, caller: TheCaller, sku: FromPath[str], data: JSONBody[Gtin]) -> Response[Receipt]:
    """A wrong GTIN is kept and flagged."""
    return carry_out(app, caller, AssignGtin(sku=sku, gtin=data.gtin), f"product/{sku}")


@put("/products/{sku:str}/categories", sync_to_thread=True, summary="Categorise")
def categorise(app: TheApp, caller: TheCaller, sku: FromPath[str], data: JSONBody[Categories]) -> Response[Receipt]:
    """Exactly these categories."""
    return carry_out(app, caller, CategoriseProduct(sku=sku, categories=data.categories), f"product/{sku}")


@post("/products/{sku:str}/media", sync_to_thread=True, status_code=200, summary="Add a media item")
def add_media(app: TheApp, caller: TheCaller, sku: FromPath[str], data: JSONBody[MediaAdded]) -> Response[Receipt]:
    """An item with the same id is replaced."""
    return carry_out(app, caller, AddMedia(sku=sku, media=data), f"product/{sku}")


@delete("/products/{sku:str}/media", sync_to_thread=True, status_code=200, summary="Remove a media item")
def remove_media(app: TheApp, caller: TheCaller, sku: FromPath[str], media_id: FromQuery[str]) -> Response[Receipt]:
    """The id is a parameter, since it may be a URL."""
    return carry_out(app, caller, RemoveMedia(sku=sku, media_id=media_id), f"product/{sku}")


@put("/products/{sku:str}/channels/{channel:str}", sync_to_thread=True, summary="Sell on a channel")
def list_on(app: TheApp, caller: TheCaller, sku: FromPath[str], channel: FromPath[str]) -> Response[Receipt]:
    """Variants follow their model unless they are taken off themselves."""
    return carry_out(app, caller, ListProduct(sku=sku, channel=channel), f"product/{sku}")


@delete(
    "/products/{sku:str}/channels/{channel:str}", sync_to_thread=True, status_code=200, summary="Take off a channel"
)
def delist(app: TheApp, caller: TheCaller, sku: FromPath[str], channel: FromPath[str]) -> Response[Receipt]:
    """Not to be sold on this channel."""
    return carry_out(app, caller, DelistProduct(sku=sku, channel=channel), f"product/{sku}")


@put("/products/{sku:str}/discontinued", sync_to_thread=True, summary="Discontinue")
def discontinue(app: TheApp, caller: TheCaller, sku: FromPath[str]) -> Response[Receipt]:
    """Not sold anywhere any more; its history stays."""
    return carry_out(app, caller, DiscontinueProduct(sku=sku), f"product/{sku}")


@delete("/products/{sku:str}/discontinued", sync_to_thread=True, status_code=200, summary="Reinstate")
def reinstate(app: TheApp, caller: TheCaller, sku: FromPath[str]) -> Response[Receipt]:
    """Sold again where it is listed."""
    return carry_out(app, caller, ReinstateProduct(sku=sku), f"product/{sku}")


HANDLERS = (
    *(create, describe, set_attributes, change_price, remove_price, assign_gtin, categorise, add_media),
    *(remove_media, list_on, delist, discontinue, reinstate),
)
