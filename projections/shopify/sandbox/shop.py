"""What Shopify's sandbox keeps and what it refuses: products, variants and quantities, without HTTP or GraphQL.

Lists of a productSet are replaced and other fields that are not sent stay. A variant of the list is an existing one by
its id, else by its options; existing ones that are not in the list are deleted, with their quantities.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from daybook.channel.contract import Payload
from daybook_projections.shopify.sandbox.execution import GraphError
from daybook_projections.shopify.sandbox.rules import (
    UserErrors,
    check_custom_id,
    check_product,
    handle_of,
    money,
    options_of,
    refusal,
)

LOCATION = "gid://shopify/Location/1"
ONLINE_STORE = "gid://shopify/Publication/1"
NAME = "Daybook's sandbox"
"""Of the shop: the vendor of a product that is made without one. Seen."""
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
        self.published: dict[str, set[str]] = {}
        """Product -> the publications in which buyers find it. A new one is in none, unless `auto_publish` is on."""
        self.auto_publish = False
        self.definitions: dict[tuple[str, str], str] = {}
        """Namespace and key of the metafields of products -> type. A new shop has none."""
        self._handles: dict[str, str] = {}
        self._custom_ids: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._answers: dict[str, tuple[bytes, Payload]] = {}

    def settle(self) -> None:
        """Makes it a shop that is in use: custom ids are defined, and new products are published by themselves."""
        self.definitions["daybook", "sku"] = "id"
        self.auto_publish = True

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
        """The product by id, handle or custom id. Raises GraphError for a custom id that nothing defines. Seen."""
        wanted = identifier or {}
        if "customId" in wanted:
            custom = wanted["customId"]
            if self.definitions.get((custom.get("namespace", ""), custom["key"])) != "id":
                message = "Metafield definition of type 'id' is required when using custom ids."
                raise GraphError("NOT_FOUND", message)
            return self.products.get(self._custom_ids.get(custom["value"], ""))
        if "handle" in wanted:
            return self.products.get(self._handles.get(wanted["handle"], ""))
        return self.products.get(wanted.get("id", ""))

    def define(self, given: Payload) -> Payload:
        """metafieldDefinitionCreate. A namespace and key can be defined once. Seen."""
        at = given.get("namespace", ""), given["key"]
        if at in self.definitions:
            message = f"Key is in use for Product metafields on the '{at[0]}' namespace."
            raise UserErrors("TAKEN", message, ["definition", "key"])
        self.definitions[at] = given["type"]
        return {"id": self._gid("MetafieldDefinition")}

    def publish(self, product_id: str, wanted: list[Payload]) -> Payload:
        """publishablePublish: the product; its errors have no codes. Seen."""
        if product_id not in self.products:
            raise UserErrors(None, "Resource does not exist", ["id"])
        for number, each in enumerate(wanted):
            if each.get("publicationId") != ONLINE_STORE:
                message = "Publication does not exist or is not publishable"
                raise UserErrors(None, message, ["input", str(number), "publicationId"])
            self.published.setdefault(product_id, set()).add(ONLINE_STORE)
        return self.products[product_id]

    def product_set(self, identifier: Mapping[str, Any] | None, given: Payload) -> Payload:
        """productSet with synchronous: true. Raises UserErrors and then has changed nothing."""
        before = self.find(identifier)
        if before is None and "id" in (identifier or {}):
            raise UserErrors("NOT_FOUND", "Resource matching the identifier was not found.", ["input"])
        custom = (identifier or {}).get("customId")
        if custom is not None:
            check_custom_id(custom, given)
        check_product(given, before, LOCATION)
        self._check_handle(given, before)
        old = {variant["id"]: variant for variant in before["variants"]} if before else {}
        matched = self._matched(given.get("variants") or list(old.values()), old)
        made = {"id": self._gid("Product"), "status": "ACTIVE", "vendor": NAME} if before is None else before
        product = dict(made) | {name: given[name] for name in (*SCALARS, *LISTS) if given.get(name) is not None}
        product["title"] = product["title"].strip()
        product["vendor"] = product["vendor"] or (NAME if before is None else "")
        product["handle"] = self._handle(given, before)
        if custom is not None and self.custom_id(product) is None:
            product["metafields"] = [*product.get("metafields", ()), dict(custom)]
        if "variants" in given:
            product["variants"] = [self._written(entry, old.get(own)) for entry, own in matched]
            self._forget(old[gone] for gone in old.keys() - {own for _, own in matched})
        if before is not None:
            self._unname(before)
        self._name(product)
        self.products[product["id"]] = product
        if before is None and self.auto_publish:
            self.published[product["id"]] = {ONLINE_STORE}
        return product

    def product_delete(self, product_id: str) -> str:
        """productDelete: the id; its errors have no codes. Seen."""
        product = self.products.pop(product_id, None)
        if product is None:
            raise UserErrors(None, "Product does not exist", ["id"])
        self.published.pop(product_id, None)
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
                message = (
                    "Inventory quantities can only be provided during create. "
                    "To update inventory for existing variants, use inventoryAdjustQuantities."
                )
                raise UserErrors("NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE", message, [*at, "inventoryQuantities"])
            if money(change.get("price", "0")).startswith("-"):
                message = "Price must be greater than or equal to 0"
                raise UserErrors("GREATER_THAN_OR_EQUAL_TO", message, [*at, "price"])
        for change in changes:
            mine[change["id"]].update(_priced(change))
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
            if "changeFromQuantity" not in each:
                message = "InventoryQuantityInput must include the following argument: changeFromQuantity."
                raise GraphError("INVALID_FIELD_ARGUMENTS", message)
            problems = list(self._unfit(each, ["input", "quantities", str(number)]))
            if problems:
                raise UserErrors(problems[0]["code"], problems[0]["message"], problems[0]["field"], *problems[1:])
        changes = []
        for each in given["quantities"]:
            delta = each["quantity"] - self.levels[each["inventoryItemId"]]
            self.levels[each["inventoryItemId"]] = each["quantity"]
            changes.append({"name": given["name"], "delta": delta})
        return changes

    def _unfit(self, each: Payload, at: list[str]) -> Iterator[Payload]:
        item, quantity = each["inventoryItemId"], each["quantity"]
        if item not in self.items:
            message = "The specified inventory item could not be found."
            yield refusal("INVALID_INVENTORY_ITEM", message, [*at, "inventoryItemId"])
        if each["locationId"] != LOCATION:
            yield refusal("INVALID_LOCATION", "The specified location could not be found.", [*at, "locationId"])
        if quantity < -QUANTITY_MAX:
            message = "The quantity can't be lower than -1,000,000,000."
            yield refusal("INVALID_QUANTITY_TOO_LOW", message, [*at, "quantity"])
        if quantity > QUANTITY_MAX:
            message = "The quantity can't be higher than 1,000,000,000."
            yield refusal("INVALID_QUANTITY_TOO_HIGH", message, [*at, "quantity"])
        if item in self.items and item not in self.levels:
            message = "The specified inventory item is not stocked at the location."
            yield refusal("ITEM_NOT_STOCKED_AT_LOCATION", message, [*at, "locationId"])
        if item in self.levels and each["changeFromQuantity"] not in (None, self.levels[item]):
            message = "The changeFromQuantity value does not match persisted value."
            yield refusal("CHANGE_FROM_QUANTITY_STALE", message, [*at, "changeFromQuantity"])

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
            message = "The @idempotent directive is required for this mutation but was not provided."
            raise GraphError("BAD_REQUEST", message)
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
        variant |= _priced(variant)
        variant["inventoryItem"] = item | entry.get("inventoryItem", {})
        self.items.add(item["id"])
        variant["optionValues"] = [{k: text.strip() for k, text in each.items()} for each in entry["optionValues"]]
        for each in entry.get("inventoryQuantities", ()):
            self.levels[item["id"]] = each["quantity"]
        return variant

    def _check_handle(self, given: Payload, before: Payload | None) -> None:
        handle = (given.get("handle") or "").strip()
        other = self.find({"handle": handle_of(handle)}) if handle else None
        if other is not None and other is not before:
            message = f"Handle '{given['handle']}' already in use. Please provide a new handle."
            raise UserErrors("HANDLE_NOT_UNIQUE", message, ["input", "handle"])

    def _handle(self, given: Payload, before: Payload | None) -> str:
        """The one that is given, in its spelling for addresses; else the old one, else one made from the title. Seen.

        Made from a title that has been used, it gets the next number: `bag`, `bag-1`; `bag-41`, `bag-42`.
        """
        if (given.get("handle") or "").strip():
            return handle_of(given["handle"])
        if before is not None and given.get("handle") is None:
            return str(before["handle"])
        plain = handle_of(given.get("title") or before["title"] if before else given["title"])
        while plain in self._handles:
            stem, number = re.fullmatch(r"(.*?)(?:-(\d+))?", plain, re.DOTALL).groups()  # type: ignore[union-attr]
            plain = f"{stem}-{int(number or 0) + 1}"
        return plain

    def _gid(self, kind: str) -> str:
        return f"gid://shopify/{kind}/{next(self._numbers)}"


def _priced(entry: Payload) -> Payload:
    return dict(entry) | ({"price": money(entry["price"])} if entry.get("price") is not None else {})
