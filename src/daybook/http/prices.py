"""Prices of a product."""

from typing import Any

import msgspec
from litestar import Response, delete, put
from litestar.params import FromPath, JSONBody

from daybook.commands import ChangePrice, RemovePrice
from daybook.web.declared import COMMAND
from daybook.web.dependencies import InjectedApp, InjectedCaller
from daybook.web.needs import needs
from daybook.web.responses import Receipt, carry_out

PATH = "/products/{sku:str}/prices/{price_list:str}/{currency:str}"


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price in major units, as decimal text: `19.99`."""

    amount: str


@put(PATH, **COMMAND, **needs("price.change", command=True), summary="Change a price")
def change_price(
    app: InjectedApp,
    caller: InjectedCaller,
    sku: FromPath[str],
    price_list: FromPath[str],
    currency: FromPath[str],
    data: JSONBody[Amount],
) -> Response[Receipt]:
    """The price in one price list and currency."""
    wish = ChangePrice(sku=sku, amount=data.amount, currency=currency, price_list=price_list)
    return carry_out(app, caller, wish, f"product/{sku}")


@delete(PATH, **COMMAND, **needs("price.change", command=True), summary="Remove a price")
def remove_price(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], price_list: FromPath[str], currency: FromPath[str]
) -> Response[Receipt]:
    """No price any more in this list and currency."""
    return carry_out(app, caller, RemovePrice(sku=sku, currency=currency, price_list=price_list), f"product/{sku}")


ROUTES: tuple[Any, ...] = (change_price, remove_price)
