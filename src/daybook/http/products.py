"""Products: the list of them, one as it is or was, and commands that describe one whole."""

from typing import Any

import msgspec
from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from daybook.access.authority import reach
from daybook.commands import (
    AssignGtin,
    CategoriseProduct,
    DescribeProduct,
    DiscontinueProduct,
    ReinstateProduct,
    SetAttributes,
)
from daybook.errors import InvalidValue, Refused, VersionConflict
from daybook.events import AttributeChange
from daybook.queries.catalogue import Page, page
from daybook.queries.product import ProductView, show
from daybook.queries.reach import channels_within
from daybook.web.caller import Known
from daybook.web.declared import COMMAND, DEFINITION, QUESTION, UNCHANGED
from daybook.web.dependencies import InjectedApp, InjectedCaller, InjectedPrincipal
from daybook.web.moments import At, Position, moment
from daybook.web.needs import needs
from daybook.web.pages import AfterKey, GroupLimit
from daybook.web.responses import PlannedChange, Receipt, carry_out, conditional, dry_run_of, same

PATH = "/api/v1/products"
DESCRIBES = needs(
    *("product.change", "product.create", "product.discontinue", "price.change", "stock.count", "listing.change"),
    command=True,
)
"""Of a description: what it says decides which of these it needs."""


class Attributes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values to set; null removes one; values that are not named stay."""

    changes: tuple[AttributeChange, ...]


class Gtin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The GTIN, or null for none."""

    gtin: str | None


class Categories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly these categories."""

    categories: tuple[str, ...]


@get("/products", **QUESTION, **needs("product.read", listed=True), summary="The catalogue")
def list_products(
    app: InjectedApp,
    principal: InjectedPrincipal,
    after: AfterKey = None,
    limit: GroupLimit = 50,
    at: At = None,
    position: Position = None,
) -> Page:
    """Product groups, a page at a time: a plain product, or a model with its variants' SKUs."""
    within = reach(principal, "product.read")
    return page(app.reader, moment(app.reader, at, position), after or "", limit, within)


@get("/products/{sku:str}", **UNCHANGED, **needs("product.read", sku="sku"), summary="A product")
def show_product(
    app: InjectedApp,
    principal: InjectedPrincipal,
    sku: FromPath[str],
    at: At = None,
    position: Position = None,
    if_none_match: Known = None,
) -> Response[ProductView]:
    """The product now or at a moment, with what it inherits. Honours If-None-Match."""
    channels = channels_within(reach(principal, "product.read"))
    found = show(app.reader, sku, moment(app.reader, at, position), channels)
    return conditional(if_none_match, found, found.version)


@post("/products", **(COMMAND | {"status_code": 201}), **DESCRIBES, summary="Create a product")
def create_product(app: InjectedApp, caller: InjectedCaller, data: JSONBody[DescribeProduct]) -> Response[Receipt]:
    """A new product, described whole. 409 when there is one: PUT describes it."""
    if caller.expected_version:
        raise InvalidValue("If-Match", f"a new product has no ETag: leave it out, or PUT {PATH}/{data.sku}")
    new = msgspec.structs.replace(caller, expected_version=0)
    try:
        return carry_out(app, new, data.as_new(), f"product/{data.sku}", f"{PATH}/{data.sku}")
    except VersionConflict:
        raise Refused(f"product {data.sku} exists already: PUT {PATH}/{data.sku} describes it", sku=data.sku) from None


@put("/products/{sku:str}", **DEFINITION, **DESCRIBES, summary="Describe a product")
def describe_product(
    app: InjectedApp,
    caller: InjectedCaller,
    sku: FromPath[str],
    data: JSONBody[DescribeProduct],
    dry_run: FromQuery[bool] = False,
) -> Response[Receipt] | Response[PlannedChange]:
    """Left out stays, null removes. An unknown SKU is refused, unless the body says that it is new by its `kind`.

    With `dry_run`, nothing is recorded: the answer says which fields would change, from what to what.
    """
    if dry_run:
        return Response(dry_run_of(app, caller, data, f"product/{same(sku, data.sku, 'sku')}"))
    return carry_out(app, caller, data, f"product/{same(sku, data.sku, 'sku')}", f"{PATH}/{sku}")


@patch(
    "/products/{sku:str}/attributes", **COMMAND, **needs("product.change", command=True), summary="Set attribute values"
)
def set_attributes(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], data: JSONBody[Attributes]
) -> Response[Receipt]:
    """Values that are not named stay as they are."""
    return carry_out(app, caller, SetAttributes(sku=sku, changes=data.changes), f"product/{sku}")


@put("/products/{sku:str}/gtin", **COMMAND, **needs("product.change", command=True), summary="Assign the GTIN")
def assign_gtin(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], data: JSONBody[Gtin]
) -> Response[Receipt]:
    """A wrong GTIN is kept and flagged."""
    return carry_out(app, caller, AssignGtin(sku=sku, gtin=data.gtin), f"product/{sku}")


@put("/products/{sku:str}/categories", **COMMAND, **needs("product.change", command=True), summary="Categorise")
def categorise_product(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], data: JSONBody[Categories]
) -> Response[Receipt]:
    """Exactly these categories."""
    return carry_out(app, caller, CategoriseProduct(sku=sku, categories=data.categories), f"product/{sku}")


@put("/products/{sku:str}/discontinued", **COMMAND, **needs("product.discontinue", command=True), summary="Discontinue")
def discontinue_product(app: InjectedApp, caller: InjectedCaller, sku: FromPath[str]) -> Response[Receipt]:
    """Not sold anywhere any more; its history stays."""
    return carry_out(app, caller, DiscontinueProduct(sku=sku), f"product/{sku}")


@delete(
    "/products/{sku:str}/discontinued", **COMMAND, **needs("product.discontinue", command=True), summary="Reinstate"
)
def reinstate_product(app: InjectedApp, caller: InjectedCaller, sku: FromPath[str]) -> Response[Receipt]:
    """Sold again where it is listed."""
    return carry_out(app, caller, ReinstateProduct(sku=sku), f"product/{sku}")


ROUTES: tuple[Any, ...] = (
    *(list_products, show_product, create_product, describe_product, set_attributes, assign_gtin),
    *(categorise_product, discontinue_product, reinstate_product),
)
