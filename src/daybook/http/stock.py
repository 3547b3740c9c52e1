"""Commands about stock. Their ETag speaks of the stock's own stream: a count does not move the product's version."""

import msgspec
from litestar import Response, post, put
from litestar.params import FromPath, JSONBody

from daybook.commands import AdjustStock, CountStock, ReceiveStock
from daybook.http.answers import Receipt, carry_out
from daybook.http.given import TheApp, TheCaller

PATH = "/products/{sku:str}/stock/{location:str}"


class Quantity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole pieces."""

    quantity: int


class Delta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole pieces more, or fewer."""

    delta: int


@put(PATH, sync_to_thread=True, summary="Count stock")
def count(
    app: TheApp, caller: TheCaller, sku: FromPath[str], location: FromPath[str], data: JSONBody[Quantity]
) -> Response[Receipt]:
    """There are so many pieces at the location, whatever was thought before."""
    return carry_out(app, caller, CountStock(sku=sku, location=location, quantity=data.quantity), f"stock/{sku}")


@post(f"{PATH}/received", sync_to_thread=True, status_code=200, summary="Receive stock")
def receive(
    app: TheApp, caller: TheCaller, sku: FromPath[str], location: FromPath[str], data: JSONBody[Quantity]
) -> Response[Receipt]:
    """So many more pieces. Send an Idempotency-Key: without one a repeated request counts twice."""
    return carry_out(app, caller, ReceiveStock(sku=sku, location=location, quantity=data.quantity), f"stock/{sku}")


@post(f"{PATH}/adjusted", sync_to_thread=True, status_code=200, summary="Adjust stock")
def adjust(
    app: TheApp, caller: TheCaller, sku: FromPath[str], location: FromPath[str], data: JSONBody[Delta]
) -> Response[Receipt]:
    """So many pieces more, or fewer. Send an Idempotency-Key: without one a repeated request counts twice."""
    return carry_out(app, caller, AdjustStock(sku=sku, location=location, delta=data.delta), f"stock/{sku}")


HANDLERS = (count, receive, adjust)
