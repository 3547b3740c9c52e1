"""The catalogue as a sheet that people edit and `daybook edit` takes back: a row a product, a column a field."""

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from daybook.catalogue.reference import Reference
from daybook.importing.sheet.columns import guarded
from daybook.log.reader import Reader
from daybook.queries.fields import Fields, own
from daybook.queries.groups import fold
from daybook.queries.walk import Walk

FIRST = ("sku", "kind", "parent", "family", "gtin")
"""The columns that come first, in this order; the others are in order of their names."""
_LEFT_OUT = ("axes", "gtin_problem")
NOT_IN_SHEETS = "media."
"""Pictures and documents have no cell."""


def export_sheet(reader: Reader, position: int) -> Iterator[bytes]:
    """The lines of the catalogue at a position as CSV in UTF-8, models before their variants.

    Taken back as it is, it changes nothing. Texts that a spreadsheet would take for formulas have an apostrophe before
    them. Cells are kept in a temporary file until all columns are known.
    """
    reference = reader.reference(position)
    names: set[str] = set()
    with tempfile.TemporaryFile() as kept:
        for _, events in Walk(reader, "", position, bounded=False):
            group = fold(events)
            for sku in group.products if group is not None else ():
                cells = {"sku": sku, **_cells(own(group, sku), reference)}
                names.update(cells)
                kept.write(msgspec.json.encode(cells) + b"\n")
        columns = [*(name for name in FIRST if name in names), *sorted(names.difference(FIRST))]
        yield csv_line(columns or ["sku"])
        kept.seek(0)
        for line in kept:
            cells = msgspec.json.decode(line)
            yield csv_line([cells.get(name, "") for name in columns])


def _cells(fields: Fields, reference: Reference) -> Mapping[str, str]:
    found = {name: cell_of(name, value, reference) for name, value in fields.items() if name not in _LEFT_OUT}
    return {name: cell for name, cell in found.items() if cell is not None}


def cell_of(name: str, value: Any, reference: Reference) -> str | None:
    """A field's value as a cell; None for one that no cell can say."""
    noun, _, rest = name.partition(".")
    if noun == "media" or (noun == "channels" and rest in reference.removed):
        return None
    if noun == "stock" and value < 0:
        return None  # a sale that beat the count; a count can't say so
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, dict):
        return f"{value['amount']} {value['unit']}"
    return guarded(value) if isinstance(value, str) else str(value)


def csv_line(cells: Sequence[str]) -> bytes:
    """Cells as one line of CSV."""
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()
