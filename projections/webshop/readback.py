"""What the shop has, in the payload's own words, so that what was brought and is untouched compares equal. Pure.

WooCommerce gives nearly everything back as it was sent, if it is asked with `context=edit` and for a variation as for a
product. What it does not:

- names and descriptions lose markup that a post may not hold, and get entities for `&` and `<`;
- a price keeps its text, but a plugin or the shop's own settings may write it with other decimals;
- pictures are copied into the shop under names of its own (`bag-1.jpg`), so their file names are compared, and no more
  than that: a picture that somebody replaced by another of the same name is not seen.

Each is put back into the words that were sent when it says the same. Fields that were not sent are the shop's own, such
as a sale price or pictures of which the book knows nothing, and are left out.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from posixpath import splitext
from typing import Any
from urllib.parse import unquote, urlsplit

from daybook.channel.contract import Payload
from daybook_projections.webshop.images import named
from daybook_projections.webshop.listing import FACETS
from daybook_projections.webshop.mapping import PARENT
from daybook_projections.webshop.texts import bare

PRODUCT, PRICE, STOCK = FACETS

_OURS = ("sku", "type", "status", "name", "description", "short_description", "global_unique_id", "attributes")
_COPY = r"(\d+|scaled|rotated|edited)*"
"""What WordPress puts behind the name of a file that it has already, or has made smaller or turned."""

UNNAMED = "unnamedfile"
"""What WordPress calls a file of whose name nothing is left."""

View = Mapping[str, Any]


def facets(view: View, listing: Mapping[str, Payload], parent: str | None) -> dict[str, Payload | None]:
    """Facet -> payload, None for one that is not there. `view`: the product or variation as the API gives it.

    `listing` is what was brought. `parent` names the product that a variation hangs under.
    """
    if view.get("status") == "trash":
        return dict.fromkeys(FACETS)
    return {
        PRODUCT: _product(view, listing.get(PRODUCT), parent),
        PRICE: _price(view, listing.get(PRICE, {})),
        STOCK: _stock(view),
    }


def _product(view: View, wanted: Payload | None, parent: str | None) -> Payload:
    if wanted is None:  # never brought: everything that could have been
        wanted = dict.fromkeys(field for field in _OURS if field in view)
        wanted |= {} if parent is None else {PARENT: parent}
    view = {"image": next(iter(view.get("images") or ()), None), **view}
    found: Payload = {}
    for field, value in wanted.items():
        if field == PARENT:
            found[field] = parent
        elif field not in view:
            found[field] = value
        else:
            found[field] = _READ.get(field, _text)(view[field], value)
    return found


def _price(view: View, wanted: Payload) -> Payload | None:
    shown, sent = view.get("regular_price"), wanted.get("regular_price")
    if not shown:
        return None
    try:
        same = sent is not None and Decimal(str(shown)) == Decimal(sent)
    except InvalidOperation:
        same = False
    return {"regular_price": sent if same else str(shown)}


def _stock(view: View) -> Payload | None:
    if view.get("manage_stock") is not True:  # a variation may say "parent": the stock is then not its own
        return None
    quantity = view.get("stock_quantity")
    if isinstance(quantity, float) and quantity.is_integer():
        quantity = int(quantity)
    return {"manage_stock": True, "stock_quantity": quantity}


def _text(shown: Any, sent: Any) -> Any:
    return sent if isinstance(sent, str) and bare(shown) == bare(sent) else shown


def _attributes(shown: Any, sent: Any) -> Any:
    """Each in the fields and the words in which it was sent, and a variation's in that order."""
    wanted = {bare(each.get("name")).casefold(): each for each in sent or ()}
    found: dict[str, Payload] = {}
    for each in shown or ():
        name = bare(each.get("name")).casefold()
        fields = wanted.get(name) or {field: None for field in each if field not in ("id", "slug")}
        found[name] = {field: _part(each.get(field), value) for field, value in fields.items()}
    if all("position" in each for each in found.values()):
        return sorted(found.values(), key=lambda each: each["position"] or 0)
    order = list(wanted)
    return [found[name] for name in sorted(found, key=lambda name: order.index(name) if name in order else len(order))]


def _part(shown: Any, sent: Any) -> Any:
    if isinstance(shown, list) and isinstance(sent, list) and len(shown) == len(sent):
        return [_text(one, other) for one, other in zip(shown, sent, strict=True)]
    return _text(shown, sent)


def _images(shown: Any, sent: Any) -> Any:
    copies: Sequence[Payload] = shown or ()
    wanted: Sequence[Payload] = sent or ()
    return [_image(copy, wanted[place] if place < len(wanted) else None) for place, copy in enumerate(copies)]


def _image(shown: Any, sent: Any) -> Any:
    if not shown:
        return {}
    source = shown.get("src", "")
    if sent and _is_copy(source, sent.get("src", "")):
        source = sent["src"]
    return {"src": source, "alt": _text(shown.get("alt", ""), (sent or {}).get("alt"))}


def _is_copy(copy: str, source: str) -> bool:
    """Compares names of files as WordPress makes them: it takes `%20` for 20, and did take it for a hyphen once."""
    asked = named(source).replace(" ", "%20").partition("?")[0].rstrip("/").rpartition("/")[2]
    own = {_stem(asked), _stem(asked.replace("%20", "")), _stem(unquote(asked))} - {""} or {UNNAMED}
    shown = _stem(urlsplit(copy).path.rpartition("/")[2])
    return any(re.fullmatch(re.escape(each) + _COPY, shown) for each in own)


def _stem(name: str) -> str:
    """The file's name as far as it survives: its letters and digits."""
    bare_name = unicodedata.normalize("NFKD", splitext(name)[0] if splitext(name)[1] else name.lstrip("."))
    return "".join(each for each in bare_name.casefold() if each.isalnum())


def _gtin(shown: Any, sent: Any) -> Any:
    return sent if sent is not None and _kept(shown) == _kept(sent) else shown


def _kept(gtin: Any) -> str:
    return re.sub(r"[^0-9X]", "", str(gtin or "").upper())


_READ: Mapping[str, Callable[[Any, Any], Any]] = {
    "attributes": _attributes,
    "images": _images,
    "image": _image,
    "global_unique_id": _gtin,
}
