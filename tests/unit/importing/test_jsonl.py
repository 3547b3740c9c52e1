"""The neutral format: what is read, and how a malformed file is refused."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from daybook.commands import DescribeProduct
from daybook.demo.catalogue import generate
from daybook.importing import jsonl, records
from daybook.importing.records import Header, MalformedRecord
from daybook.importing.rows import ImportRefused

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "jsonl.md"
PRODUCT = b'{"type":"describe_product","sku":"A-1"}\n'


def written(tmp_path: Path, body: bytes) -> Path:
    path = tmp_path / "catalogue.jsonl"
    path.write_bytes(body)
    return path


def faults(error: pytest.ExceptionInfo[ImportRefused]) -> list[tuple[int | None, str]]:
    return [(fault.line, fault.reason) for fault in error.value.faults]


def test_records_survive_being_written_and_read() -> None:
    for record in generate(30):
        assert records.decode(records.encode(record)) == record


def test_rows_know_their_line_and_blank_lines_and_the_header_are_no_rows(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf" + records.encode(Header()) + b"\n" + PRODUCT + b"\n  \n" + PRODUCT)

    rows = list(jsonl.read(path))

    assert [row.line for row in rows] == [3, 6]
    assert rows[0].record == DescribeProduct(sku="A-1")
    assert rows[0].file == str(path)


def test_a_named_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as other:
        other.submit(pipe.write_bytes, PRODUCT * 3)
        rows = list(jsonl.read(pipe))

    assert [row.line for row in rows] == [1, 2, 3]


def test_standard_input_is_checked_like_a_file() -> None:
    rows = list(jsonl.read("-", io.BytesIO(PRODUCT)))

    assert [(row.file, row.line) for row in rows] == [("stdin", 1)]
    with pytest.raises(ImportRefused, match="stdin, line 2: is no JSON"):
        jsonl.read("-", io.BytesIO(PRODUCT + b"{"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "is no JSON"),
        (b'\xff{"type":"describe_product"}', "is no JSON"),
        (b"[1]", "expected `object`"),
        (b"{}", "type"),
        (b'{"type":"drop_product","sku":"A"}', "type: must be one of configure_channel, daybook.catalogue"),
        (b'{"type":"describe_product"}', "missing required field `sku`"),
        (b'{"type":"describe_product","sku":1}', "sku: expected `str`, got `int`"),
        (b'{"type":"describe_product","sku":"A","colour":"red"}', "unknown field `colour`"),
        (b'{"type":"describe_product","sku":"A","stock":{"main":"3"}}', "stock[...]: expected `int | null`"),
        (
            b'{"type":"describe_product","sku":"A","prices":[{"amount":3,"currency":"EUR"}]}',
            "prices[0].amount: expected `str | null`",
        ),
        (
            b'{"type":"describe_product","sku":"A","attributes":[{"attribute":"a","value":1,"local":"nl-NL"}]}',
            "attributes[0].local: there is no such field",
        ),
        (
            b'{"type":"define_attribute","attribute":{"code":"a","type":"text","max_length":3}}',
            "attribute.max_length: there is no such field; there are: code, type,",
        ),
        (
            b'{"type":"define_attribute","attribute":{"code":"a","type":"select","options":[{"code":"x","label":"X"}]}}',
            "attribute.options[0].label: there is no such field",
        ),
        (b'{"type":"describe_product","sku":"A","gtin":"1","gtin":null}', "gtin: stands twice: say it once"),
        (b'{"type":"describe_product","sku":"A","stock":{"main":1,"main":2}}', "main: stands twice: say it once"),
        (b'{"type":"daybook.catalogue","version":2}', "version 2 of the format; this Daybook reads version 1"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number_and_field(tmp_path: Path, line: bytes, reason: str) -> None:
    path = written(tmp_path, PRODUCT + line + b"\n")

    with pytest.raises(ImportRefused) as error:
        jsonl.read(path)

    ((number, told),) = faults(error)
    assert number == 2
    assert reason in told


def test_the_first_twenty_bad_lines_are_named_and_all_are_counted(tmp_path: Path) -> None:
    path = written(tmp_path, b"".join(PRODUCT if number % 2 else b"nonsense\n" for number in range(1, 61)))

    with pytest.raises(ImportRefused, match="and 10 more") as error:
        jsonl.read(path)

    assert [line for line, _ in faults(error)] == list(range(2, 42, 2))
    assert error.value.details["count"] == 30


def test_a_header_anywhere_but_on_the_first_line_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, PRODUCT + records.encode(Header()))

    with pytest.raises(ImportRefused, match="line 2: the header may stand on the first line only"):
        jsonl.read(path)


def test_an_empty_or_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="is empty"):
        jsonl.read(written(tmp_path, b"\n"))
    with pytest.raises(ImportRefused, match="can't be opened"):
        jsonl.read(tmp_path / "none.jsonl")


def test_equal_records_are_written_as_equal_bytes_whatever_the_order_of_their_keys() -> None:
    one: dict[str, Any] = {"type": "describe_product", "sku": "A", "stock": {"b": 1, "a": 2}}
    two = {"stock": {"a": 2, "b": 1}, "sku": "A", "type": "describe_product"}
    first, second = (records.decode(msgspec.json.encode(plain)) for plain in (one, two))

    assert records.encode(first) == records.encode(second)


def test_a_field_that_decode_takes_but_the_format_does_not_know_is_named() -> None:
    with pytest.raises(MalformedRecord, match=r"attributes\[0\]\.local: there is no such field"):
        records.check_fields(
            b'{"type":"describe_product","sku":"A","attributes":[{"attribute":"a","value":1,"local":"nl"}]}'
        )


def test_the_example_in_the_reference_can_be_read(tmp_path: Path) -> None:
    _, _, rest = REFERENCE.read_text(encoding="utf-8").partition("```json\n")
    example, fence, _ = rest.partition("```")

    rows = list(jsonl.read(written(tmp_path, example.encode())))

    assert fence
    assert [records.noun(row.record) for row in rows if row.record is not None] == [
        "attribute",
        "attribute",
        "category",
        "family",
        "product",
        "product",
    ]
