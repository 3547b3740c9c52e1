"""Files of shops, mutated: never a crash, never a row without a reason, never half of one."""

import csv
import io
import random
from pathlib import Path

import pytest

from daybook.catalogue.reference import EMPTY
from daybook.commands import DescribeProduct
from daybook.errors import InvalidValue
from daybook.importing.rows import ImportRefused, Notice
from daybook.importing.shop.cells import ShopOptions
from daybook.importing.shop.format import decoded, known
from daybook.importing.shop.read import read
from tests.fixtures.shop_files import FEED, HANDLES, HANDLES_NEW, KINDS

FILES = {"old": HANDLES, "new": HANDLES_NEW, "kinds": KINDS, "feed": FEED}
NASTY = (
    "",
    "\x00",
    '"',
    "\n",
    ",",
    "\t",
    ";",
    "=1+1",
    "'",
    "-",
    "1e999",
    "\u0661\u0662",
    "id:",
    "id:99",
    "\ufeff",
    "x" * 300,
)
MUTATIONS = 500
"""Of each of the four files."""


def mutated(text: str, chance: random.Random) -> bytes:
    """One to four mistakes: bytes, cells, lines."""
    data = bytearray(text.encode())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        match chance.randrange(6):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randint(1, 30)]
            case 2:
                data[at:at] = chance.choice(NASTY).encode()
            case 3:
                lines = bytes(data).split(b"\n")
                chance.shuffle(lines)
                data = bytearray(b"\n".join(lines))
            case 4:
                data[at:at] = data[chance.randrange(len(data)) :][: chance.randint(1, 80)]
            case _:
                data = data[: at + 1]
    return bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_a_mutated_file_is_refused_with_reasons_or_gives_whole_rows(name: str, tmp_path: Path) -> None:
    chance, path = random.Random(name), tmp_path / "export.csv"
    refused = taken = 0
    for _ in range(MUTATIONS):
        path.write_bytes(mutated(FILES[name], chance))
        try:
            entries = list(read(path, EMPTY, ShopOptions(create=True, currency="EUR"), lambda sku: (False, None)))
        except ImportRefused as error:
            refused += 1
            assert error.faults and all(fault.reason for fault in error.faults)
            continue
        taken += 1
        for one in entries:
            assert isinstance(one, Notice) or one.record is not None or all(flag.reason for flag in one.flags)
            assert isinstance(one, Notice) or one.record is not None or one.flags
            if not isinstance(one, Notice) and isinstance(one.record, DescribeProduct):
                assert one.record.sku and one.if_new["kind"]
    assert refused and taken


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    def skus(text: str) -> list[str]:
        path = tmp_path / "export.csv"
        path.write_text(text)
        entries = read(path, EMPTY, ShopOptions(create=True, currency="EUR"), lambda sku: (False, None))
        return [
            one.record.sku for one in entries if not isinstance(one, Notice) and isinstance(one.record, DescribeProduct)
        ]

    def turned(text: str) -> str:
        out = io.StringIO()
        csv.writer(out).writerows(line[::-1] for line in csv.reader(io.StringIO(text)))
        return out.getvalue()

    for text in (HANDLES, HANDLES_NEW, KINDS):
        assert skus(text) == skus(turned(text))


def test_every_format_that_comes_along_is_sound() -> None:
    assert {"shopify", "woocommerce", "google"} <= known().keys()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"name": "x", "grouping": "kind", "needs": [], "columns": {"A": "nonsense"}}',
        b'{"name": "x", "grouping": "kind", "needs": [], "columns": {}, "patterns": {"(": "sku"}}',
        b'{"name": "x", "grouping": "kind", "needs": [], "columns": {}, "patterns": {"x": "option\\\\1.name"}}',
        b'{"name": "x", "grouping": "odd", "needs": [], "columns": {}}',
    ],
)
def test_a_format_that_makes_no_sense_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidValue, match=r"^format: ours"):
        decoded(text, "ours")
