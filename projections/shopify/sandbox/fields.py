"""What each field of a query or a mutation does to the shop, with the access that it needs."""

from collections.abc import Callable, Collection
from typing import Any

from graphql import GraphQLResolveInfo

from daybook.channel.contract import Payload
from daybook_projections.shopify.sandbox.answers import item_answer, level_answer, product_answer, variant_answer
from daybook_projections.shopify.sandbox.bulk import Bulk
from daybook_projections.shopify.sandbox.execution import GraphError, Resolver, idempotency_key
from daybook_projections.shopify.sandbox.order_answers import order_queries
from daybook_projections.shopify.sandbox.orders import ShopOrders
from daybook_projections.shopify.sandbox.rules import UserErrors
from daybook_projections.shopify.sandbox.shop import Shop

Field = Callable[[Payload], Any]
"""From its arguments to its value."""
Mutation = Callable[[Payload], Payload]
IDEMPOTENT = ("inventorySetQuantities", "inventoryActivate")
"""Mutations that want the @idempotent directive, since 2026-04."""
SCOPES = {
    "inventory": "write_inventory",
    "publishable": "write_publications",
    **dict.fromkeys(("order", "fulfillment", "refund"), "read_orders"),
}
"""By the beginning of a field's name; all others want write_products."""


def roots(shop: Shop, bulk: Bulk, orders: ShopOrders, scopes: Collection[str]) -> dict[str, Resolver]:
    """The resolvers of every field, for one request."""
    fields = {name: _query(field) for name, field in (_queries(shop, bulk) | order_queries(orders)).items()}
    fields |= {name: _mutation(name, field, shop) for name, field in _mutations(shop, bulk).items()}
    return {name: _allowed(name, resolve, scopes) for name, resolve in fields.items()}


def _queries(shop: Shop, bulk: Bulk) -> dict[str, Field]:
    return {
        "product": lambda given: product_answer(shop, shop.products.get(given["id"])),
        "productByIdentifier": lambda given: product_answer(shop, shop.find(given["identifier"])),
        "inventoryItem": lambda given: item_answer(shop, given["id"]),
        "node": lambda given: bulk.state(given["id"]),
    }


def _mutations(shop: Shop, bulk: Bulk) -> dict[str, Mutation]:
    def product_set(given: Payload) -> Payload:
        return {"product": product_answer(shop, shop.product_set(given.get("identifier"), given["input"]))}

    def variants_update(given: Payload) -> Payload:
        changed = shop.variants_update(given["productId"], given["variants"])
        product = product_answer(shop, shop.products[given["productId"]])
        return {"product": product, "productVariants": [variant_answer(shop, each) for each in changed]}

    def variants_delete(given: Payload) -> Payload:
        return {"product": product_answer(shop, shop.variants_delete(given["productId"], given["variantsIds"]))}

    def set_quantities(given: Payload) -> Payload:
        changes = shop.set_quantities(given["input"])
        return {"inventoryAdjustmentGroup": {"id": "gid://shopify/InventoryAdjustmentGroup/1", "changes": changes}}

    def activate(given: Payload) -> Payload:
        shop.activate(given["inventoryItemId"], given["locationId"], given.get("available"))
        return {"inventoryLevel": level_answer(shop, given["inventoryItemId"])}

    return {
        "productSet": product_set,
        "productDelete": lambda given: {"deletedProductId": shop.product_delete(given["input"]["id"])},
        "productVariantsBulkUpdate": variants_update,
        "productVariantsBulkDelete": variants_delete,
        "inventorySetQuantities": set_quantities,
        "inventoryActivate": activate,
        "metafieldDefinitionCreate": lambda given: {"createdDefinition": shop.define(given["definition"])},
        "publishablePublish": lambda given: {
            "publishable": product_answer(shop, shop.publish(given["id"], given["input"]))
        },
        "stagedUploadsCreate": lambda given: bulk.stage(given["input"]),
        "bulkOperationRunMutation": lambda given: bulk.start(given["mutation"], given["stagedUploadPath"]),
    }


def _query(field: Field) -> Resolver:
    return lambda info, **given: field(given)


def _mutation(name: str, field: Mutation, shop: Shop) -> Resolver:
    def carry_out(given: Payload) -> Payload:
        # A refusal is remembered as well: its idempotency key can't be used again.
        try:
            return {"userErrors": []} | field(given)
        except UserErrors as refused:
            return {"userErrors": refused.errors}

    def resolve(info: GraphQLResolveInfo[Any], **given: Any) -> Payload:
        if name not in IDEMPOTENT:
            return carry_out(given)
        try:
            return shop.once(idempotency_key(info), given, lambda: carry_out(given))
        except UserErrors as refused:
            return {"userErrors": refused.errors}

    return resolve


def _allowed(name: str, resolve: Resolver, scopes: Collection[str]) -> Resolver:
    scope = next((wanted for begins, wanted in SCOPES.items() if name.startswith(begins)), "write_products")

    def checked(info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        if scope not in scopes:
            raise GraphError("ACCESS_DENIED", f"Access denied for {name} field. Required access: `{scope}`.")
        return resolve(info, **given)

    return checked
