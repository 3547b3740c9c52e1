"""A WooCommerce shop without its HTTP: products, variations, the trash and the table of SKUs, in memory."""

import html
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from daybook.channel.contract import Payload
from daybook_projections.webshop.sandbox import rules, texts
from daybook_projections.webshop.sandbox.answers import WooError, critical, invalid_id, not_under_products
from daybook_projections.webshop.sandbox.pictures import Pictures
from daybook_projections.webshop.sandbox.schema import check

SHOP = "https://shop.example"
PRODUCT, VARIATION = "product", "product_variation"


class Shop:
    """The shop's products and variations by id."""

    def __init__(self) -> None:
        self.records: dict[int, Payload] = {}
        self.moderated = False
        """A plugin of the shop has somebody look at each change first, as those for many vendors do."""
        self._pictures = Pictures()
        self._last_id = 100

    def create(self, body: Mapping[str, Any], under: int | None = None, *, checked: bool = True) -> Payload:
        """Makes a product, or a variation under a product. The members of a batch are not checked."""
        given = _looked_at(body, checked)
        post_type = PRODUCT if under is None else VARIATION
        if given.get("id"):
            raise WooError(f"woocommerce_rest_{post_type}_exists", f"Cannot create existing {post_type}.", 400)
        if under is not None and under not in self.records:
            if "attributes" not in given:
                raise critical()
            message = "Cannot set attributes due to invalid parent product."
            raise WooError("woocommerce_rest_product_variation_invalid_parent", message, 404)
        record = rules.BLANK | {"id": self._new_id(), "parent_id": under or 0}
        record["type"] = "simple" if under is None else "variation"
        self._apply(record, given)
        self._lock_sku(record)
        self.records[record["id"]] = record
        return self.view(record)

    def update(self, own: int, body: Mapping[str, Any], under: int | None = None, *, checked: bool = True) -> Payload:
        """Changes the named fields only. An unknown product is a 400 here, unlike everywhere else."""
        given = _looked_at(body, checked)
        record = self._at(own, under, missing=400)
        if under is None and record["parent_id"]:
            raise not_under_products()
        changed = dict(record)
        self._apply(changed, given)
        self.records[own] = changed
        if record["type"] == "variable" and changed["type"] != "variable":
            for child in self.children(own):
                del self.records[child["id"]]
        return self.view(changed)

    def get(self, own: int, under: int | None = None) -> Payload:
        """Gives one. A variation can be looked at as a product too, and has another form then."""
        record = self._at(own, under, missing=404)
        return self.as_product(record) if under is None and record["parent_id"] else self.view(record)

    def delete(self, own: int, under: int | None = None, *, force: bool) -> Payload:
        """Deletes for good with `force`, else puts into the trash. A product takes its variations along."""
        record = self._at(own, under, missing=404)
        if under is None and record["parent_id"]:
            raise not_under_products()
        before = self.view(record)
        if not force and record["status"] == "trash":
            post_type = PRODUCT if under is None else VARIATION
            raise WooError("woocommerce_rest_already_trashed", f"The {post_type} has already been deleted.", 410)
        for each in (record, *self.children(own)):
            if force:
                del self.records[each["id"]]
            else:
                self.records[each["id"]] = each | {"status": "trash"}
        return before

    def search(self, sku: str | None = None, under: int | None = None, status: str | None = None) -> list[Payload]:
        """Lists newest first, without the trash unless it is asked for. Asking for SKUs finds variations too."""
        wanted = {texts.collated(each) for each in (sku, *sku.split(","))} if sku else None
        return [
            self.as_product(each) if each["parent_id"] and under is None else self.view(each)
            for each in sorted(self.records.values(), key=lambda each: -int(each["id"]))
            if (each["status"] != "trash" if status in (None, "any") else each["status"] == status)
            and (wanted is None or texts.collated(each["sku"]) in wanted)
            and (each["parent_id"] == (under or 0) or (wanted is not None and under is None))
        ]

    def children(self, own: int) -> list[Payload]:
        """Gives the variations of a product by their `menu_order`, the oldest first among equals (`read_children`)."""
        found = [each for each in self.records.values() if each["parent_id"] == own]
        return sorted(found, key=lambda each: (each["menu_order"], each["id"]))

    def choosable(self, record: Payload) -> bool:
        """Whether buyers can choose this variation, and not by every choice: its options are its product's own."""
        parent = self.records[record["parent_id"]]
        axes = rules.axes_of(parent)
        return bool(axes) and all(record["chosen"].get(key) in axis["options"] for key, axis in axes.items())

    def page(self, view: Payload) -> Payload:
        """Gives what a GET shows without `context=edit`: texts as they are put on a page."""
        variation = view["type"] == "variation" and "image" in view
        fields = () if variation else ("description", "short_description")
        return view | {field: texts.on_a_page(view[field]) for field in fields}

    def view(self, record: Payload) -> Payload:
        """Gives the record as the API does with `context=edit`, with the fields that follow from others.

        The description of a variation is that of a page in every context.
        """
        price = record["sale_price"] or record["regular_price"]
        more: Payload = {}
        if record["type"] == "variable":
            shown = [child for child in self.children(record["id"]) if child["status"] in ("publish", "private")]
            price = min(filter(None, (self.view(child)["price"] for child in shown)), key=float, default="")
            more["variations"] = [child["id"] for child in shown]
        status = record["stock_status"]
        if record["manage_stock"]:
            waits = record["backorders"] != "no"
            status = "instock" if (record["stock_quantity"] or 0) > 0 else "onbackorder" if waits else "outofstock"
        more |= {"price": price, "stock_status": status, "purchasable": bool(price) and record["status"] != "trash"}
        if record["parent_id"]:
            more["description"] = texts.on_a_page(record["description"])
            more["attributes"] = list(rules.shown_choice(record, self.records[record["parent_id"]]))
            more["name"] = ", ".join(each["option"] for each in more["attributes"])
        more["permalink"] = self._address(record)
        return {field: value for field, value in (record | more).items() if field != "chosen"}

    def _address(self, record: Payload) -> str:
        """The page's address: by number when it is not published, and a variation's is its product's with its choice.

        Of a private one it is that of a published one, as the key's owner may read it (`get_post_permalink`).
        """
        product = self.records[record["parent_id"]] if record["parent_id"] else record
        shown = product["status"] in ("publish", "private")
        base = f"{SHOP}/product/{texts.slug(product['name'])}/" if shown else f"{SHOP}/"
        query = {} if shown else {"post_type": PRODUCT, "p": str(product["id"])}
        query |= {f"attribute_{key}": option for key, option in record["chosen"].items() if option}
        return f"{base}?{urlencode(query)}" if query else base

    def as_product(self, record: Payload) -> Payload:
        """Gives a variation as the API of products shows it: with a full name, its own text, and pictures as a list.

        Without a picture of its own it shows the first one of its product.
        """
        parent, own = self.records[record["parent_id"]], self.view(record)
        pictures = [record["image"]] if record["image"] else parent["images"][:1]
        named = f"{parent['name']} - {own['name']}" if own["name"] else parent["name"]
        shown = own | {"name": named, "description": record["description"], "images": pictures}
        return {field: value for field, value in shown.items() if field != "image"}

    def title(self, record: Payload) -> str:
        """What buyers read as its name: the name is HTML."""
        return html.unescape(self.as_product(record)["name"] if record["parent_id"] else record["name"])

    def _apply(self, record: Payload, body: Mapping[str, Any]) -> None:
        if "sku" in body:
            record["sku"] = self._unique_sku(record["id"], texts.text_field(str(body["sku"])))
        if "global_unique_id" in body:
            record["global_unique_id"] = self._unique_number(record["id"], rules.number(body["global_unique_id"]))
        rules.apply(record, body)
        if self.moderated and record["status"] == "publish":
            record["status"] = "pending"
        if "attributes" in body and record["parent_id"]:
            record["chosen"] = rules.chosen(body["attributes"], self.records[record["parent_id"]])
        if not record["parent_id"] and isinstance(body.get("images"), list):
            record["images"] = [self._pictures.upload(self._new_id(), each, "product") for each in body["images"]]
        if record["parent_id"] and "image" in body:
            image = body["image"]
            there = isinstance(image, dict) and "src" in image
            record["image"] = self._pictures.upload(self._new_id(), image, "variation") if there else None

    def _unique_sku(self, own: int, sku: str) -> str:
        other = self._other(own, "sku", sku)
        if other is not None:
            more = {"resource_id": other, "unique_sku": f"{sku}-1"}
            raise WooError("product_invalid_sku", "Invalid or duplicated SKU.", 400, **more)
        return sku

    def _lock_sku(self, record: Payload) -> None:
        """Refuses a new product whose SKU is in the table of SKUs, which has those in the trash as well."""
        sku = texts.collated(record["sku"])
        if (
            sku
            and not record["parent_id"]
            and any(texts.collated(each["sku"]) == sku for each in self.records.values())
        ):
            product = f"The product with SKU ({record['sku']})"
            message = f"{product} you are trying to insert is already present in the lookup table"
            raise WooError("woocommerce_rest_product_not_created", message, 400)

    def _unique_number(self, own: int, number: str) -> str:
        if any(each in "Xx" for each in number[:-1]):
            message = "Invalid GTIN, UPC, EAN, or ISBN. The letter X is only valid as the final ISBN-10 check digit."
            raise WooError("product_invalid_global_unique_id_format", message, 400)
        other = self._other(own, "global_unique_id", number)
        if other is not None:
            message = "Invalid or duplicated GTIN, UPC, EAN or ISBN."
            raise WooError("product_invalid_global_unique_id", message, 400, resource_id=other)
        return number

    def _other(self, own: int, field: str, value: str) -> int | None:
        wanted = texts.collated(value)
        found = (
            int(each["id"])
            for each in self.records.values()
            if each["id"] != own and each["status"] != "trash" and texts.collated(each[field]) == wanted
        )
        return next(found, None) if value else None

    def _at(self, own: int, under: int | None, *, missing: int) -> Payload:
        record = self.records.get(own)
        if under is not None and (record is None or record["parent_id"] != under):
            raise invalid_id(VARIATION, 404)
        if record is None:
            raise invalid_id(PRODUCT, missing)
        return record

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id


def _looked_at(body: Mapping[str, Any], checked: bool) -> Mapping[str, Any]:
    if checked:
        check(body)
    return rules.given_fields(body)
