"""The catalogue as the file of a shop, by the format that reads it: what it has no column for is counted."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.errors import InvalidValue
from daybook.exporting.sheet import cell_of, csv_line
from daybook.importing.shop.cells import ShopOptions
from daybook.importing.shop.format import ShopFormat
from daybook.log.reader import Reader
from daybook.product.state import Product, slot
from daybook.queries.fields import Fields, own
from daybook.queries.groups import fold
from daybook.queries.walk import Walk

OPTIONS_MAX = 100
Line = dict[str, str]
"""What it says -> the cell."""


class ShopExport:
    """Products as lines of one format; `lost` counts what it can't say, field by field."""

    def __init__(self, reader: Reader, form: ShopFormat, options: ShopOptions, position: int) -> None:
        """Raises InvalidValue for a format that is only read, and where the currency is not said."""
        if not form.writes:
            raise InvalidValue("format", f"{form.name} is only read here", form.name)
        if options.currency is None:
            raise InvalidValue("currency", "say which prices are written", None)
        self._reader, self._form, self._options = reader, form, options
        self._position = position
        self._reference: Reference = reader.reference(position)
        self.lost: Counter[str] = Counter()

    def lines(self) -> Iterator[bytes]:
        """The lines of the file in UTF-8, models before their variants. Kept in a temporary file until all is known."""
        options = 0
        with tempfile.TemporaryFile() as kept:
            for _, events in Walk(self._reader, "", self._position, bounded=False):
                group = fold(events)
                for line in self._lines(group) if group is not None else ():
                    options = max(options, *(_number(name) for name in line), 0)
                    kept.write(msgspec.json.encode(line) + b"\n")
            columns = [*self._form.writes.items()]
            for number in range(1, options + 1):
                columns += [
                    (text.format(number), name.format(number)) for text, name in self._form.writes_options.items()
                ]
            yield csv_line([text for text, _ in columns])
            kept.seek(0)
            for encoded in kept:
                said = msgspec.json.decode(encoded)
                yield csv_line([said.get(name, "") for _, name in columns])

    def _lines(self, group: Group) -> Iterator[Line]:
        if self._form.grouping == "kind":
            for product in group.products.values():
                yield self._of_kind(group, product)
            return
        for product in group.products.values():
            variants = [one for one in group.products.values() if one.parent == product.sku and one.kind == "variant"]
            if product.kind == "product":
                yield from self._of_handle(group, product, [product])
            elif product.kind == "model" and variants:
                yield from self._of_handle(group, product, variants)
            elif product.kind == "model":
                self.lost["models without variants"] += 1

    def _of_kind(self, group: Group, product: Product) -> Line:
        fields, covered = own(group, product.sku), set[str]()
        names = {"product": "simple", "model": "variable", "variant": "variation"}
        line = {"kind": names[product.kind], "sku": product.sku, "parent": product.parent or ""}
        without = ("text.name",) if product.kind == "variant" else ()
        line |= self._plain(fields, covered, without)
        urls = _pictures(fields, covered)
        line["images"] = ", ".join(urls)
        if product.kind != "model":
            line |= self._options_of(fields, covered, list(self._reference.attributes), OPTIONS_MAX)
        self._lose(fields, covered)
        return line

    def _of_handle(self, group: Group, product: Product, sold: Sequence[Product]) -> Iterator[Line]:
        shared_fields, covered = own(group, product.sku), set[str]()
        plain = sold[0] is product
        lines = []
        for one in sold:
            fields, told = (shared_fields, covered) if plain else (own(group, one.sku), set[str]())
            line = {"sku": one.sku, **self._plain(fields, told, () if plain else _SHARED)}
            if not plain:
                line |= self._options_of(fields, told, product.axes[:3], 3)
                self._lose(fields, told)
            lines.append(line)
        if not plain and len(sold) == 1 and not any(name.endswith(".value") for name in lines[0]):
            self.lost["models with one variant that differs by nothing"] += 1
            return
        shared = self._plain(shared_fields, covered, () if plain else _OWN)
        urls = _pictures(shared_fields, covered)
        lines += [{} for _ in urls[len(lines) :]]
        lines[0] |= shared
        for line, url in zip(lines, urls, strict=False):
            line["image"] = url
        self._lose(shared_fields, covered)
        yield from ({"group": product.sku, **line} for line in lines)

    def _plain(self, fields: Fields, covered: set[str], without: tuple[str, ...]) -> Line:
        found: Line = {}
        for target in self._form.writes.values():
            if target.startswith(without):
                continue
            name = self._field(target)
            if name is None or name not in fields:
                continue
            text = self._text(target, name, fields[name])
            if text:
                covered.add(name)
                found[target] = text
        return found

    def _field(self, target: str) -> str | None:
        """The field of a product that a column says."""
        noun, _, rest = target.partition(".")
        options = self._options
        match noun:
            case "gtin":
                return "gtin"
            case "price":
                return f"prices.{rest or options.price_list}.{options.currency}"
            case "stock":
                return f"stock.{options.location}"
            case "published" if options.list_on:
                return f"channels.{options.list_on[0]}"
            case "text" | "measure":
                return self._attribute(rest.partition(".")[0])
        return None

    def _attribute(self, code: str) -> str | None:
        definition = self._reference.attributes.get(code)
        if definition is None or (definition.localizable and self._options.locale is None):
            return None
        return f"attributes.{slot(code, self._options.locale if definition.localizable else None)}"

    def _text(self, target: str, name: str, value: Any) -> str | None:
        if target == "published":
            words: Mapping[str, Any] = self._form.words["published"]
            return next(word for word, meaning in words.items() if meaning is value)
        if target.startswith("measure."):
            unit = target.rpartition(".")[2]
            return value["amount"] if isinstance(value, dict) and value["unit"] == unit else None
        return cell_of(name, value, self._reference)

    def _options_of(self, fields: Fields, covered: set[str], codes: Sequence[str], most: int) -> Line:
        found: Line = {}
        number = 0
        for code in codes:
            name = self._attribute(code)
            if name is None or name not in fields or name in covered:
                continue
            text = cell_of(name, fields[name], self._reference)
            number += 1
            if not text or not text.strip() or number > most or text in self._form.plain:
                number -= 1
                continue
            covered.add(name)
            found |= {f"option{number}.name": code, f"option{number}.value": text}
        return found

    def _lose(self, fields: Fields, covered: set[str]) -> None:
        known = ("kind", "parent", "axes", "gtin_problem")
        self.lost.update(name for name in fields if name not in covered and name not in known)


_SHARED = ("text.", "image", "published")
_OWN = ("gtin", "price", "stock", "measure")


def _pictures(fields: Fields, covered: set[str]) -> list[str]:
    """The pictures that an import finds again: `image-1`, `image-2`, … for all locales and scopes, each once."""
    urls: list[str] = []
    while (item := fields.get(f"media.image-{len(urls) + 1}")) is not None:
        url, whole = item["url"], item.get("role") == "image" and not item.get("locale") and not item.get("channel")
        if not whole or url in urls or "," in url or url != url.strip():
            break
        urls.append(url)
        covered.add(f"media.image-{len(urls)}")
    return urls


def _number(name: str) -> int:
    return int(name[6:].partition(".")[0]) if name.startswith("option") else 0
