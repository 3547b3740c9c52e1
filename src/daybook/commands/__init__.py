"""The write side: one intent each, carried out by `book.Book`."""

from daybook.commands.catalogue import ConfigureChannel, DefineAttribute, DefineCategory, DefineFamily, DefinePart
from daybook.commands.channels import AddChannel, RemoveChannel
from daybook.commands.describe import DescribeProduct
from daybook.commands.orders import (
    CancelOrder,
    OrderedLine,
    PayOrder,
    PlaceOrder,
    RefundOrder,
    ReturnOrder,
    ShipOrder,
)
from daybook.commands.products import (
    AddMedia,
    AssignGtin,
    CategoriseProduct,
    ChangePrice,
    CreateProduct,
    DelistProduct,
    DiscontinueProduct,
    ListProduct,
    ReinstateProduct,
    RemoveMedia,
    RemovePrice,
    SetAttributes,
)
from daybook.commands.stock import AdjustStock, CountStock, ReceiveStock, SetSafetyStock

AnyCommand = (
    CreateProduct
    | SetAttributes
    | AssignGtin
    | ChangePrice
    | RemovePrice
    | CategoriseProduct
    | AddMedia
    | RemoveMedia
    | ListProduct
    | DelistProduct
    | DiscontinueProduct
    | ReinstateProduct
    | DescribeProduct
    | CountStock
    | ReceiveStock
    | AdjustStock
    | DefineAttribute
    | DefineFamily
    | DefineCategory
    | ConfigureChannel
    | AddChannel
    | RemoveChannel
)

__all__ = [
    "AddChannel",
    "AddMedia",
    "AdjustStock",
    "AnyCommand",
    "AssignGtin",
    "CancelOrder",
    "CategoriseProduct",
    "ChangePrice",
    "ConfigureChannel",
    "CountStock",
    "CreateProduct",
    "DefineAttribute",
    "DefineCategory",
    "DefineFamily",
    "DefinePart",
    "DelistProduct",
    "DescribeProduct",
    "DiscontinueProduct",
    "ListProduct",
    "OrderedLine",
    "PayOrder",
    "PlaceOrder",
    "ReceiveStock",
    "RefundOrder",
    "ReinstateProduct",
    "RemoveChannel",
    "RemoveMedia",
    "RemovePrice",
    "ReturnOrder",
    "SetAttributes",
    "SetSafetyStock",
    "ShipOrder",
]
