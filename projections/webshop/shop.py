"""A WooCommerce shop without its HTTP: products, variations and the rules of REST API v3, in memory.

The rules and texts of errors were read in WooCommerce's own controllers (Version2 and Version3 of products and product
variations, WC_Product's setters, WC_REST_Authentication) and WordPress' parameter validation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from daybook.channel.contract import Payload
from projections.webshop.schema import problems_of

UPLOADS = "https://shop.example/wp-content/uploads/2026/01"
PICTURE = re.compile(r"(\.(jpe?g|jpe|gif|png|bmp|tiff?|ico|webp))?\Z", re.IGNORECASE)


class WooError(Exception):
    """An error as WordPress tells it: code, message, and data with the HTTP status."""

    def __init__(self, code: str, message: str, status: int, **data: object) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.data = code, message, status, data

    def body(self) -> Payload:
        return {"code": self.code, "message": self.message, "data": {"status": self.status, **self.data}}


class Shop:
    """The shop's products and variations by id."""

    def __init__(self) -> None:
        self.records: dict[int, Payload] = {}
        self._last_id = 100

    def create(self, body: Mapping[str, Any], under: int | None = None) -> Payload:
        """A new product, or a new variation under a product."""
        check(body)
        post_type = "product" if under is None else "product_variation"
        if body.get("id"):
            raise WooError(f"woocommerce_rest_{post_type}_exists", f"Cannot create existing {post_type}.", 400)
        if under is not None and self._living(under) is None:
            message = "Cannot set attributes due to invalid parent product."
            raise WooError("woocommerce_rest_product_variation_invalid_parent", message, 404)
        record = _BLANK | {"id": self._new_id(), "parent_id": under or 0}
        record["type"] = "simple" if under is None else "variation"
        self._apply(record, body)
        self.records[record["id"]] = record
        return self.view(record)

    def update(self, own: int, body: Mapping[str, Any], under: int | None = None) -> Payload:
        """Changes the named fields only. An unknown id is a 400 here, unlike everywhere else."""
        check(body)
        record = self._at(own, under, missing=400)
        changed = dict(record)
        self._apply(changed, body)
        self.records[own] = changed
        return self.view(changed)

    def get(self, own: int, under: int | None = None) -> Payload:
        return self.view(self._at(own, under, missing=404))

    def delete(self, own: int, under: int | None = None, *, force: bool) -> Payload:
        """For good with `force`, else to the trash. A product takes its variations along."""
        record = self._at(own, under, missing=404)
        before = self.view(record)
        if not force and record["status"] == "trash":
            post_type = "product" if under is None else "product_variation"
            raise WooError("woocommerce_rest_already_trashed", f"The {post_type} has already been deleted.", 410)
        for each in (record, *self.children(own)):
            if force:
                del self.records[each["id"]]
            else:
                self.records[each["id"]] = each | {"status": "trash"}
        return before

    def search(self, sku: str | None = None, under: int | None = None) -> list[Payload]:
        """Newest first, without the trash. Asking for SKUs finds variations too."""
        wanted = {sku, *sku.split(",")} if sku else None
        kinds = {under} if under is not None else {0}
        return [
            self.view(each)
            for each in sorted(self.records.values(), key=lambda each: -int(each["id"]))
            if each["status"] != "trash"
            and (wanted is None or each["sku"] in wanted)
            and (each["parent_id"] in kinds or (wanted is not None and under is None))
        ]

    def children(self, own: int) -> list[Payload]:
        """The variations of a product, oldest first."""
        return [each for each in self.records.values() if each["parent_id"] == own]

    def page(self, view: Payload) -> Payload:
        """What a GET gives without `context=edit`: texts as they are put on a page."""
        return view | {field: formatted(view[field]) for field in ("description", "short_description")}

    def view(self, record: Payload) -> Payload:
        """The record as the API gives it with `context=edit`, with the fields that follow from others.

        A variation's description is that of a page in every context.
        """
        price = record["sale_price"] or record["regular_price"]
        if record["type"] == "variable":
            prices = [self.view(child)["price"] for child in self.children(record["id"])]
            price = min(filter(None, prices), key=float, default="")
        status = record["stock_status"]
        if record["manage_stock"]:
            waits = record["backorders"] != "no"
            status = "instock" if record["stock_quantity"] > 0 else "onbackorder" if waits else "outofstock"
        more = {"price": price, "stock_status": status, "purchasable": bool(price)}
        if record["parent_id"]:
            more["description"] = formatted(record["description"])
        return record | more

    def _apply(self, record: Payload, body: Mapping[str, Any]) -> None:
        for field in ("name", "description", "short_description", "status", "type", "stock_status", "backorders"):
            if field in body and not (field == "type" and record["parent_id"]):
                record[field] = body[field]
        for field in ("regular_price", "sale_price"):
            if field in body:
                record[field] = re.sub(r"[^0-9.-]", "", body[field])
        if "sku" in body:
            record["sku"] = self._unique_sku(record["id"], body["sku"])
        if "global_unique_id" in body:
            record["global_unique_id"] = self._unique_gtin(record["id"], body["global_unique_id"])
        self._apply_stock(record, body)
        if "attributes" in body:
            record["attributes"] = list(self._attributes(record, body["attributes"]))
        if "images" in body and not record["parent_id"]:
            record["images"] = [self._image(each, "product") for each in body["images"]]
        if "image" in body and record["parent_id"]:
            record["image"] = self._image(body["image"], "variation") if body["image"] else None

    @staticmethod
    def _apply_stock(record: Payload, body: Mapping[str, Any]) -> None:
        if "manage_stock" in body:
            record["manage_stock"] = body["manage_stock"] in (True, 1, "1", "true")
        if not record["manage_stock"]:
            record["stock_quantity"] = None  # a quantity without manage_stock is dropped in silence
        elif "stock_quantity" in body:
            record["stock_quantity"] = int(float(body["stock_quantity"] or 0))
        else:
            record["stock_quantity"] = record["stock_quantity"] or 0

    def _unique_sku(self, own: int, sku: str) -> str:
        other = self._other(own, "sku", sku)
        if other is not None:
            raise WooError("product_invalid_sku", "Invalid or duplicated SKU.", 400, resource_id=other)
        return sku

    def _unique_gtin(self, own: int, gtin: str) -> str:
        kept = re.sub(r"[^0-9Xx-]", "", gtin)
        if kept and not re.fullmatch(r"[0-9-]*[0-9Xx]?", kept):
            message = "Invalid GTIN, UPC, EAN, or ISBN. The letter X is only valid as the final ISBN-10 check digit."
            raise WooError("product_invalid_global_unique_id_format", message, 400)
        other = self._other(own, "global_unique_id", kept)
        if other is not None:
            message = "Invalid or duplicated GTIN, UPC, EAN or ISBN."
            raise WooError("product_invalid_global_unique_id", message, 400, resource_id=other)
        return kept

    def _other(self, own: int, field: str, value: str) -> int | None:
        return next(
            (
                int(each["id"])
                for each in self.records.values()
                if value and each[field] == value and each["id"] != own and each["status"] != "trash"
            ),
            None,
        )

    def _attributes(self, record: Payload, given: list[Payload]) -> Iterator[Payload]:
        given = [each for each in given if each.get("name")]
        if not record["parent_id"]:
            for position, each in enumerate(given):
                options = " | ".join(each.get("options", ())).split("|")  # how WooCommerce stores them
                yield {
                    "id": 0,
                    "name": each["name"],
                    "position": each.get("position", position),
                    "visible": each.get("visible", False),
                    "variation": each.get("variation", False),
                    "options": [option.strip() for option in options if option.strip()],
                }
            return
        axes = {each["name"].lower() for each in self.records[record["parent_id"]]["attributes"] if each["variation"]}
        for each in given:
            if each["name"].lower() in axes:  # others are dropped in silence
                yield {"id": 0, "name": each["name"], "option": each.get("option", "")}

    def _image(self, given: Payload, kind: str) -> Payload:
        address = urlsplit(given.get("src", ""))
        name = address.path.rpartition("/")[2]
        stem, dot, ending = name.rpartition(".")
        if address.scheme not in ("http", "https") or not address.netloc:
            message = f"Error getting remote image {given.get('src', '')}. Error: A valid URL was not provided."
        elif stem and not PICTURE.fullmatch(dot + ending):
            message = "Invalid image: Sorry, you are not allowed to upload this file type."
        else:
            # The shop keeps a copy of its own, under a name that no other of its files has.
            own = self._new_id()
            file = f"{stem}-{own}{dot}{ending}" if stem else f"{name}-{own}"
            file = re.sub(r"[^\w.-]+", "", file.replace("%20", "-"))  # sanitize_file_name
            return {"id": own, "src": f"{UPLOADS}/{file}", "name": name, "alt": given.get("alt", "")}
        raise WooError(f"woocommerce_{kind}_image_upload_error", message, 400)

    def _living(self, own: int) -> Payload | None:
        record = self.records.get(own)
        return record if record is not None and record["status"] != "trash" else None

    def _at(self, own: int, under: int | None, *, missing: int) -> Payload:
        record = self.records.get(own)
        post_type = "product" if under is None else "product_variation"
        if record is None:
            raise WooError(f"woocommerce_rest_{post_type}_invalid_id", "Invalid ID.", missing)
        if under is None and record["parent_id"]:
            message = (
                "To manipulate product variations you should use the "
                "/products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
            )
            raise WooError("woocommerce_rest_invalid_product_id", message, 404)
        if under is not None and record["parent_id"] != under:
            message = "Parent product does not match current variation."
            raise WooError("woocommerce_rest_cannot_edit", message, 403)
        return record

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id


_BLANK: Payload = {
    "name": "",
    "status": "publish",
    "sku": "",
    "global_unique_id": "",
    "regular_price": "",
    "sale_price": "",
    "description": "",
    "short_description": "",
    "manage_stock": False,
    "stock_quantity": None,
    "stock_status": "instock",
    "backorders": "no",
    "images": [],
    "image": None,
    "attributes": [],
}


def formatted(text: str) -> str:
    """A text as WordPress puts it on a page (wptexturize, then wpautop), as far as plain sentences go."""
    if not text:
        return ""
    curly = re.sub(r'"([^"]*)"', r"&#8220;\1&#8221;", text).replace("'", "&#8217;").replace("...", "&#8230;")
    paragraphs = re.split(r"\n\s*\n", curly.replace(" - ", " &#8211; ").strip())
    return "".join(f"<p>{each}</p>\n" for each in paragraphs)


def check(body: Mapping[str, Any]) -> None:
    """Raises WordPress' rest_invalid_param for fields of the wrong kind."""
    wrong = problems_of(body)
    if wrong:
        raise WooError(
            "rest_invalid_param",
            f"Invalid parameter(s): {', '.join(wrong)}",
            400,
            params={field: message for field, (_, message) in wrong.items()},
            details={
                field: {"code": code, "message": message, "data": {"param": field}}
                for field, (code, message) in wrong.items()
            },
        )
