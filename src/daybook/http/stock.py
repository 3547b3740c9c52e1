"""Stock of a product. Its ETag speaks of the stock's own stream: a count does not move the product's version."""

from typing import Any

import msgspec
from litestar import Response, post, put
from litestar.params import FromPath, JSONBody

from daybook.commands import AdjustStock, CountStock, ReceiveStock, SetSafetyStock
from daybook.web.declared import COMMAND
from daybook.web.dependencies import InjectedApp, InjectedCaller
from daybook.web.needs import needs
from daybook.web.responses import Receipt, carry_out

PATH = "/products/{sku:str}/stock/{location:str}"


class Quantity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole pieces."""

    quantity: int


class Delta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole pieces more, or fewer."""

    delta: int


@put(PATH, **COMMAND, **needs("stock.count", command=True), summary="Count stock")
def count_stock(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], location: FromPath[str], data: JSONBody[Quantity]
) -> Response[Receipt]:
    """There are so many pieces at the location, whatever was thought before."""
    return carry_out(app, caller, CountStock(sku=sku, location=location, quantity=data.quantity), f"stock/{sku}")


@post(f"{PATH}/received", **COMMAND, **needs("stock.receive", command=True), summary="Receive stock")
def receive_stock(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], location: FromPath[str], data: JSONBody[Quantity]
) -> Response[Receipt]:
    """So many more pieces. Send an Idempotency-Key: without one a repeated request counts twice."""
    return carry_out(app, caller, ReceiveStock(sku=sku, location=location, quantity=data.quantity), f"stock/{sku}")


@post(f"{PATH}/adjusted", **COMMAND, **needs("stock.adjust", command=True), summary="Adjust stock")
def adjust_stock(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], location: FromPath[str], data: JSONBody[Delta]
) -> Response[Receipt]:
    """So many pieces more, or fewer. Send an Idempotency-Key: without one a repeated request counts twice."""
    return carry_out(app, caller, AdjustStock(sku=sku, location=location, delta=data.delta), f"stock/{sku}")


@put(f"{PATH}/safety", **COMMAND, **needs("stock.adjust", command=True), summary="Hold stock back")
def set_safety_stock(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], location: FromPath[str], data: JSONBody[Quantity]
) -> Response[Receipt]:
    """So many pieces at the location are shown to no channel, and given to no order that may be refused."""
    return carry_out(app, caller, SetSafetyStock(sku=sku, location=location, quantity=data.quantity), f"stock/{sku}")


ROUTES: tuple[Any, ...] = (count_stock, receive_stock, adjust_stock, set_safety_stock)
