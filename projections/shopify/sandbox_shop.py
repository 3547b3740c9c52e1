"""What Shopify's sandbox keeps and what it refuses: products, variants and quantities, without HTTP or GraphQL.

Lists of a productSet are replaced and other fields that are not sent stay. A variant of the list is an existing one by
its id, else by its options; existing ones that are not in the list are deleted, with their quantities.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from daybook.channel.contract import Payload
from projections.shopify.sandbox_rules import GraphError, UserErrors, check_product, options_of

LOCATION = "gid://shopify/Location/1"
SCALARS = ("title", "descriptionHtml", "vendor", "productType", "status", "handle")
LISTS = ("productOptions", "files", "tags", "metafields")
QUANTITY_MAX = 10**9


class Shop:
    """One shop with one location."""

    def __init__(self) -> None:
        self.products: dict[str, Payload] = {}
        """By id; `variants` has each with its own id, sku, price and `inventoryItem`."""
        self.levels: dict[str, int] = {}
        """Inventory item -> available pieces at the location; an item that is not here is not stocked there."""
        self.items: set[str] = set()
        """Every inventory item."""
        self._handles: dict[str, str] = {}
        self._custom_ids: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._answers: dict[str, tuple[bytes, Payload]] = {}

    def custom_id(self, product: Payload) -> str | None:
        """The value of the product's unique metafield `daybook.sku`."""
        fields = product.get("metafields") or ()
        return next((f["value"] for f in fields if (f["namespace"], f["key"]) == ("daybook", "sku")), None)

    def variant(self, sku: str) -> Payload:
        """The variant with this SKU, for tests that change it behind the connector's back."""
        return next(v for product in self.products.values() for v in product["variants"] if v["sku"] == sku)

    def sell(self, sku: str, pieces: int = 1) -> None:
        """Somebody buys it in the shop: fewer are available, and the book does not know yet."""
        self.levels[self.variant(sku)["inventoryItem"]["id"]] -= pieces

    def find(self, identifier: Mapping[str, Any] | None) -> Payload | None:
        """The product by id, handle or custom id."""
        wanted = identifier or {}
        if "customId" in wanted:
            return self.products.get(self._custom_ids.get(wanted["customId"]["value"], ""))
        if "handle" in wanted:
            return self.products.get(self._handles.get(wanted["handle"], ""))
        return self.products.get(wanted.get("id", ""))

    def product_set(self, identifier: Mapping[str, Any] | None, given: Payload) -> Payload:
        """productSet with synchronous: true. Raises UserErrors and then has changed nothing."""
        before = self.find(identifier)
        if before is None and "id" in (identifier or {}):
            raise UserErrors("PRODUCT_DOES_NOT_EXIST", "Product does not exist", ["identifier", "id"])
        if "customId" in (identifier or {}) and before is None:
            value = (identifier or {})["customId"]["value"]
            if self.custom_id(given) != value:
                message = "The metafield in the input must have the value of the identifier"
                raise UserErrors("INPUT_MISMATCH", message, ["input", "metafields"])
        check_product(given, before, LOCATION)
        self._check_handle(given, before)
        old = {variant["id"]: variant for variant in before["variants"]} if before else {}
        matched = self._matched(given.get("variants") or list(old.values()), old)
        product = dict(before or {"id": self._gid("Product"), "status": "ACTIVE", "handle": self._handle(given)})
        product |= {name: given[name] for name in (*SCALARS, *LISTS) if name in given}
        if "variants" in given:
            product["variants"] = [self._written(entry, old.get(own)) for entry, own in matched]
            self._forget(old[gone] for gone in old.keys() - {own for _, own in matched})
        if before is not None:
            self._unname(before)
        self._name(product)
        self.products[product["id"]] = product
        return product

    def product_delete(self, product_id: str) -> str:
        """productDelete: the id; its errors have no codes."""
        product = self.products.pop(product_id, None)
        if product is None:
            raise UserErrors(None, "Product does not exist", ["id"])
        self._unname(product)
        self._forget(product["variants"])
        return product_id

    def variants_update(self, product_id: str, changes: list[Payload]) -> list[Payload]:
        """productVariantsBulkUpdate, all or nothing."""
        mine = {variant["id"]: variant for variant in self._product(product_id)["variants"]}
        for number, change in enumerate(changes):
            at = ["variants", str(number)]
            if change.get("id") not in mine:
                raise UserErrors("PRODUCT_VARIANT_DOES_NOT_EXIST", "Product variant does not exist", [*at, "id"])
            if "inventoryQuantities" in change:
                message = "Inventory quantities can only be provided during create"
                raise UserErrors("NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE", message, [*at, "inventoryQuantities"])
            if "price" in change and money(change["price"]) < 0:
                raise UserErrors("NEGATIVE_PRICE_VALUE", "Price cannot take a negative value", [*at, "price"])
        for change in changes:
            written = dict(change)
            if "price" in change:
                written["price"] = f"{money(change['price']):.2f}"
            mine[change["id"]].update(written)
        return [mine[change["id"]] for change in changes]

    def variants_delete(self, product_id: str, variant_ids: list[str]) -> Payload:
        """productVariantsBulkDelete: a product keeps at least one variant."""
        product = self._product(product_id)
        mine = {variant["id"]: variant for variant in product["variants"]}
        if not set(variant_ids) <= mine.keys():
            raise UserErrors(
                "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT",
                "At least one variant does not belong to the product",
                ["variantsIds", "0"],
            )
        if set(variant_ids) == mine.keys():
            raise UserErrors("CANNOT_DELETE_LAST_VARIANT", "Cannot delete the last variant", ["variantsIds"])
        self._forget([mine.pop(gone) for gone in variant_ids])
        product["variants"] = list(mine.values())
        return product

    def set_quantities(self, given: Payload) -> list[Payload]:
        """inventorySetQuantities: each one only when it is what the caller thinks it is; one that is not fails all."""
        for number, each in enumerate(given["quantities"]):
            at = ["input", "quantities", str(number)]
            item, quantity = each["inventoryItemId"], each["quantity"]
            if "changeFromQuantity" not in each:
                raise GraphError("INVALID_VARIABLE", "changeFromQuantity must be given, even when it is null")
            if item not in self.items:
                message = "The inventory item could not be found"
                raise UserErrors("INVALID_INVENTORY_ITEM", message, [*at, "inventoryItemId"])
            if each["locationId"] != LOCATION:
                raise UserErrors("INVALID_LOCATION", "The location could not be found", [*at, "locationId"])
            if not 0 <= quantity <= QUANTITY_MAX:
                code = "INVALID_QUANTITY_NEGATIVE" if quantity < 0 else "INVALID_QUANTITY_TOO_HIGH"
                raise UserErrors(code, "The quantity is out of bounds", [*at, "quantity"])
            if item not in self.levels:
                message = "The inventory item is not stocked at the location"
                raise UserErrors("ITEM_NOT_STOCKED_AT_LOCATION", message, [*at, "locationId"])
            if each["changeFromQuantity"] not in (None, self.levels[item]):
                message = "The changeFromQuantity does not match the persisted quantity"
                raise UserErrors("CHANGE_FROM_QUANTITY_STALE", message, [*at, "changeFromQuantity"])
        changes = []
        for each in given["quantities"]:
            delta = each["quantity"] - self.levels[each["inventoryItemId"]]
            self.levels[each["inventoryItemId"]] = each["quantity"]
            changes.append({"name": given["name"], "delta": delta})
        return changes

    def activate(self, item: str, location: str, available: int | None) -> Payload:
        """inventoryActivate: the level; its errors have no codes."""
        if item not in self.items:
            raise UserErrors(None, "The product couldn't be stocked because it was not found", ["inventoryItemId"])
        if location != LOCATION:
            raise UserErrors(None, "The location could not be found", ["locationId"])
        if item in self.levels and available is not None:
            raise UserErrors(None, "Not allowed to set available quantity when already active", ["available"])
        self.levels.setdefault(item, available or 0)
        return {"id": item}

    def once(self, key: str | None, variables: Payload, carry_out: Callable[[], Payload]) -> Payload:
        """Carries a mutation with @idempotent out, or gives its first success again when its key was seen."""
        if not key:
            raise GraphError("BAD_REQUEST", "The @idempotent directive with a key is required for this mutation")
        asked = msgspec.json.encode(variables, order="sorted")
        first, answer = self._answers.get(key, (asked, None))
        if first != asked:
            message = "The idempotency key was used before with other parameters"
            raise UserErrors("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", message, [])
        if answer is None:
            answer = carry_out()
            self._answers[key] = (asked, answer)
        elif answer["userErrors"]:
            message = "The previous attempt with this idempotency key failed. Use another key."
            raise UserErrors("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", message, [])
        return answer

    def _product(self, product_id: str) -> Payload:
        if product_id not in self.products:
            raise UserErrors("PRODUCT_DOES_NOT_EXIST", "Product does not exist", ["productId"])
        return self.products[product_id]

    def _name(self, product: Payload) -> None:
        self._handles[product["handle"]] = product["id"]
        value = self.custom_id(product)
        if value is not None:
            self._custom_ids[value] = product["id"]

    def _unname(self, product: Payload) -> None:
        self._handles.pop(product["handle"], None)
        self._custom_ids.pop(self.custom_id(product) or "", None)

    def _forget(self, variants: Iterable[Payload]) -> None:
        for variant in variants:
            self.items.discard(variant["inventoryItem"]["id"])
            self.levels.pop(variant["inventoryItem"]["id"], None)

    def _matched(self, entries: list[Payload], old: Mapping[str, Payload]) -> list[tuple[Payload, str | None]]:
        """Each entry with the id of the variant that it is about, None for a new one."""
        named = {entry["id"] for entry in entries if "id" in entry}
        if named - old.keys():
            raise UserErrors("PRODUCT_VARIANT_DOES_NOT_EXIST", "Product variant does not exist", ["input", "variants"])
        free = {options_of(variant): own for own, variant in old.items() if own not in named}
        matched = [(entry, entry.get("id") or free.get(options_of(entry))) for entry in entries]
        for entry, own in matched:
            stocked = own is None or old[own]["inventoryItem"]["id"] in self.levels
            if entry.get("inventoryQuantities") and not stocked:
                message = "Quantities of an existing variant can only be set where it is stocked already"
                raise UserErrors("INVALID_INPUT", message, ["input", "variants", "inventoryQuantities"])
        return matched

    def _written(self, entry: Payload, old: Payload | None) -> Payload:
        new: Payload = {"id": self._gid("ProductVariant"), "sku": "", "barcode": None, "price": "0.00"}
        item: Payload = old["inventoryItem"] if old else {"id": self._gid("InventoryItem"), "tracked": False}
        variant = (old or new) | {name: value for name, value in entry.items() if name != "inventoryQuantities"}
        variant["inventoryItem"] = item | entry.get("inventoryItem", {})
        self.items.add(item["id"])
        if "price" in entry:
            variant["price"] = f"{money(entry['price']):.2f}"
        for each in entry.get("inventoryQuantities", ()):
            self.levels[item["id"]] = each["quantity"]
        return variant

    def _check_handle(self, given: Payload, before: Payload | None) -> None:
        handle = given.get("handle")
        other = self.find({"handle": handle}) if handle else None
        if other is not None and other is not before:
            message = f"Handle '{handle}' already in use. Please provide a new handle."
            raise UserErrors("HANDLE_NOT_UNIQUE", message, ["input", "handle"])

    def _handle(self, given: Payload) -> str:
        """Made from the title, with a number behind it when it is taken."""
        plain = re.sub(r"[^a-z0-9]+", "-", str(given["title"]).lower()).strip("-") or "product"
        numbered = (f"{plain}-{number}" for number in itertools.count(1))
        return next(handle for handle in itertools.chain((plain,), numbered) if handle not in self._handles)

    def _gid(self, kind: str) -> str:
        return f"gid://shopify/{kind}/{next(self._numbers)}"


def money(text: object) -> Decimal:
    """A scalar of type Money: a decimal number in a string."""
    if not isinstance(text, str) or not re.fullmatch(r"-?\d{1,15}(\.\d+)?", text):
        raise GraphError("INVALID_VARIABLE", f"Variable $input was provided invalid value: {text!r} is no Money")
    return Decimal(text)
