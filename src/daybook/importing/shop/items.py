"""Lines that belong together as products, models and variants, whatever the shop calls them. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any, Literal

import msgspec

from daybook.errors import InvalidValue
from daybook.importing.rows import Flag
from daybook.importing.shop.cells import Fields, ShopCells, images
from daybook.importing.shop.format import ShopFormat
from daybook.values import parse_sku


class ShopLine(msgspec.Struct, frozen=True):
    """One line of the file: what it says -> the cell, without those that are empty."""

    number: int
    said: dict[str, str]


class ShopItem(msgspec.Struct, kw_only=True):
    """A product as one file tells it."""

    line: int
    sku: str
    kind: Literal["product", "model", "variant"] = "product"
    parent: str | None = None
    axes: tuple[str, ...] = ()
    fields: Fields = {}
    flags: list[Flag] = []
    wrong: list[Flag] = []
    """Why it can't be taken at all."""


ParentOf = Callable[[str], tuple[bool, str | None]]
"""(there, its parent): what the book knows of a SKU."""
_SHARED = ("text.", "image", "published", "status")
_NO_SKU = "has no SKU: products are known by it. Give it one in the shop, and export again"


class ShopItems:
    """Reads lines as items, by the grouping of the format."""

    def __init__(self, form: ShopFormat, cells: ShopCells, parent_of: ParentOf) -> None:
        self._form, self._cells, self._parent_of = form, cells, parent_of

    def of(self, lines: Iterable[ShopLine], context: "ShopFile") -> Iterator[ShopItem]:
        """The items, models before their variants where the file has them so."""
        match self._form.grouping:
            case "handle":
                for group in grouped(lines):
                    yield from self._handle(group)
            case "kind":
                for line in lines:
                    yield self._kind(line, context)
            case "item":
                yield from self._of_groups(lines, context)

    def _handle(self, group: Sequence[ShopLine]) -> Iterator[ShopItem]:
        first = group[0]
        names = _options(first, "name")
        sold = [one for one in group if one.said.keys() & {"sku", "price", "option1.value"}] or [first]
        plain = len(sold) == 1 and set(_options(sold[0], "value").values()) <= {*self._form.plain}
        pictures = dict.fromkeys(url for one in group if (url := one.said.get("image")))
        shared = {name: cell for name, cell in first.said.items() if name.startswith(_SHARED)}
        if plain:
            yield self._item(first.number, first.said.get("sku") or "", {**shared, **sold[0].said}, pictures)
            return
        known = [self._parent_of(one.said["sku"]) for one in sold if one.said.get("sku")]
        parents = {parent for there, parent in known if there}
        if parents == {None} or len(parents) > 1:
            # The book has them apart: each is told all of it, and none is moved.
            for one in sold:
                yield self._item(one.number, one.said.get("sku") or "", {**shared, **one.said}, pictures)
            return
        parent = next(iter(parents), None) or first.said.get("group") or ""
        model = self._item(first.number, parent, shared, pictures, "model")
        if any(one.said.get("sku") == parent for one in sold):
            model.wrong.append(Flag("group", parent, "is the SKU of a variant too: the model needs one of its own"))
        axes = model.axes = self._axes(model, names.values())
        yield model
        for one in sold:
            own = {name: cell for name, cell in one.said.items() if not name.startswith(_SHARED)}
            variant = self._item(one.number, one.said.get("sku") or "", own, {}, "variant", parent)
            values = _options(one, "value")
            for (number, _), code in zip(names.items(), axes, strict=False):
                if number in values:
                    self._attribute(variant, code, values[number])
            yield variant

    def _kind(self, line: ShopLine, context: "ShopFile") -> ShopItem:
        said = dict(line.said)
        kind = self._form.word("kind", said["kind"]) if "kind" in said else "product"
        sku = said.get("sku", "")
        parent = context.sku_of(said.get("parent", "")) if kind == "variant" else None
        if kind == "variant":
            said.pop("text.name", None)  # the shop makes it of the model's and its options
        pictures = dict.fromkeys(url.strip() for url in said.get("images", "").split(",") if url.strip())
        item = self._item(line.number, sku, said, pictures, kind or "product", parent)
        if kind is None:
            item.wrong.append(Flag("kind", said.get("kind"), "is of a type that Daybook has not"))
        if kind == "variant" and not parent:
            item.wrong.append(Flag("parent", said.get("parent"), "names no product of this file: a variant needs one"))
        names, values = _options(line, "name"), _options(line, "value")
        if kind == "model":
            item.axes = self._axes(item, context.axes.get(sku, ()))
            return item
        for number, name in names.items():
            if number in values and (codes := self._axes(item, [name])):
                self._attribute(item, codes[0], values[number])
        return item

    def _of_groups(self, lines: Iterable[ShopLine], context: "ShopFile") -> Iterator[ShopItem]:
        begun: set[str] = set()
        for line in lines:
            sku, group = line.said.get("sku", ""), line.said.get("group")
            there, parent = self._parent_of(sku) if group and sku else (False, None)
            kind: Any = "variant" if group and (parent if there else context.amounts.get(group, 0) > 1) else "product"
            model = (parent if there else group) if kind == "variant" else None
            if model and model not in begun:
                begun.add(model)
                yield ShopItem(line=line.number, sku=model, kind="model", axes=tuple(context.axes.get(group or "", ())))
            listed = [line.said.get("image", ""), *line.said.get("images", "").split(",")]
            pictures = dict.fromkeys(url.strip() for url in listed if url.strip())
            item = self._item(line.number, sku, line.said, pictures, kind, model)
            for name, cell in line.said.items():
                if name.startswith("axis."):
                    self._attribute(item, name.removeprefix("axis."), cell)
            yield item

    def _item(
        self,
        line: int,
        sku: str,
        said: dict[str, str],
        pictures: dict[str, None],
        kind: Any = "product",
        parent: str | None = None,
    ) -> ShopItem:
        item = ShopItem(line=line, sku=sku, kind=kind, parent=parent, fields=dict(images(pictures)), flags=[], wrong=[])
        if not sku:
            item.wrong.append(Flag("sku", None, _NO_SKU))
            return item
        try:
            parse_sku(sku)
        except InvalidValue as error:
            item.wrong.append(Flag("sku", sku[:100], str(error.details["reason"])))
        for name, cell in said.items():
            try:
                self._field(item, name, cell)
            except InvalidValue as error:
                item.wrong.append(Flag(str(error.details["field"]), cell[:200], str(error.details["reason"])))
        self._listed(item, said)
        return item

    def _field(self, item: ShopItem, name: str, cell: str) -> None:
        noun, _, rest = name.partition(".")
        match noun:
            case "gtin":
                item.fields["gtin"] = cell.lstrip("'")
            case "price":
                item.fields |= self._cells.price(rest, cell)
            case "stock" if item.kind != "model":
                fields, flags = self._cells.stock(cell)
                item.fields |= fields
                item.flags += flags
            case "text":
                item.fields |= self._cells.attribute(rest, cell)
            case "measure" if cell.strip("0.,"):
                code, _, unit = rest.partition(".")
                item.fields |= self._cells.attribute(code, cell, unit)
            case "variant_image":
                item.fields |= images({cell: None})

    def _listed(self, item: ShopItem, said: dict[str, str]) -> None:
        words = {name: self._form.word(name, said[name]) for name in ("published", "status") if name in said}
        item.wrong += [
            Flag(name, said[name][:200], "is a word that this format does not know")
            for name, word in words.items()
            if word is None
        ]
        if words and None not in words.values():
            item.fields |= self._cells.listed(all(words.values()))

    def _axes(self, item: ShopItem, names: Iterable[str]) -> tuple[str, ...]:
        try:
            return tuple(dict.fromkeys(self._cells.code_of(name) for name in names))
        except InvalidValue as error:
            item.wrong.append(Flag(str(error.details["field"]), None, str(error.details["reason"])))
            return ()

    def _attribute(self, item: ShopItem, code: str, cell: str) -> None:
        try:
            item.fields |= self._cells.attribute(code, cell)
        except InvalidValue as error:
            item.wrong.append(Flag(code, cell[:200], str(error.details["reason"])))


class ShopFile:
    """What has to be known of the whole file before its first line is read: who varies by what, whose id is whose."""

    def __init__(self, form: ShopFormat, lines: Iterable[ShopLine], cells: ShopCells) -> None:
        self.axes: dict[str, dict[str, None]] = {}
        """Model, or group -> the names of what its variants differ by."""
        self.amounts: dict[str, int] = {}
        self._ids: dict[str, str] = {}
        parents: list[tuple[str, list[str]]] = []
        for line in lines if form.grouping != "handle" else ():
            said = line.said
            if "id" in said and "sku" in said:
                self._ids[said["id"]] = said["sku"]
            if form.grouping == "kind" and form.word("kind", said.get("kind", "")) == "variant":
                values = _options(line, "value")
                parents.append(
                    (said.get("parent", ""), [name for at, name in _options(line, "name").items() if at in values])
                )
            elif (group := said.get("group")) is not None and form.grouping == "item":
                self.amounts[group] = self.amounts.get(group, 0) + 1
                axes = [name.removeprefix("axis.") for name in said if name.startswith("axis.")]
                self.axes.setdefault(group, {}).update(dict.fromkeys(axes))
        for parent, names in parents:
            self.axes.setdefault(self.sku_of(parent), {}).update(dict.fromkeys(names))

    def sku_of(self, named: str) -> str:
        """The SKU of what a line names as its parent, by SKU or `id:123`; empty for none."""
        return self._ids.get(named[3:].strip(), "") if named.startswith("id:") else named


def grouped(lines: Iterable[ShopLine]) -> Iterator[list[ShopLine]]:
    """Lines of one handle; a line without one goes with those above it, unless it has a title of its own."""
    group: list[ShopLine] = []
    for line in lines:
        key = line.said.get("group")
        same = group and (key == group[0].said.get("group") if key else "text.name" not in line.said)
        if group and not same:
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _options(line: ShopLine, part: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for number in count(1):
        cell = line.said.get(f"option{number}.{part}")
        if cell is not None:
            found[number] = cell
        if number >= 100:
            return found
    raise AssertionError("unreachable")
