"""Catalogues in and out, the log, the channels and the stream: the real program on a real log."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream
from tests.fixtures.commandline import Daybook
from tests.fixtures.waiting import until

COLOUR = {"code": "color", "type": "select", "options": [{"code": "red"}]}


def described(sku: str, **more: Any) -> dict[str, Any]:
    return {"type": "describe_product", "sku": sku, "kind": "product", **more}


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


@pytest.fixture
def daybook(database: str) -> Daybook:
    return Daybook({"DAYBOOK_POSTGRES": database})


def test_an_import_tells_what_became_of_the_rows_and_a_second_one_changes_nothing(
    daybook: Daybook, tmp_path: Path
) -> None:
    file = tmp_path / "catalogue.jsonl"
    file.write_bytes(lines({"type": "define_attribute", "attribute": COLOUR}, described("A"), described("B")))
    done = daybook.json("import", "jsonl", file, "--actor", "ann", "--reason", "new season")
    assert (done["ended"], done["taken"], done["failed"]) == ("complete", 3, 0)
    assert done["counts"]["product"]["created"] == 2
    (newest,) = daybook("log", "tail", "-n", 1, "--json").lines
    assert (newest["actor"], newest["reason"], newest["source"]) == ("ann", "new season", "import:jsonl")
    with daybook.unchanged():
        assert daybook.json("import", "jsonl", file)["counts"]["product"]["unchanged"] == 2
    assert "product" in daybook("import", "jsonl", file).stdout


def test_rows_that_can_not_be_taken_are_counted_and_written_down(daybook: Daybook, tmp_path: Path) -> None:
    wrong = described("B", prices=[{"amount": "1.999", "currency": "EUR"}])
    report = tmp_path / "report.csv"
    answer = daybook(
        "import",
        "jsonl",
        "-",
        "--report",
        report,
        "--json",
        stdin=lines(described("A"), wrong, described("C", gtin="1")),
    )
    assert (answer.code, answer.problem["code"]) == (3, "rows_not_taken")
    assert (answer.json["taken"], answer.json["failed"], answer.json["flagged"]) == (2, 1, 1)
    assert "1 of 3" in answer.problem["message"] and str(report) in answer.problem["message"]
    assert "more decimals than EUR allows" in report.read_text()
    assert daybook("product", "show", "B").code == 4


@pytest.mark.parametrize(
    ("code", "said", "arguments"),
    [
        ("import_refused", "can't be opened", ("jsonl", "no-such-file")),
        ("import_refused", "is no folder", ("akeneo", "no-such-folder")),
        ("import_refused", "attributes.csv", ("akeneo", ".")),
        ("invalid_value", ".csv or .json", ("jsonl", "-", "--report", "report.txt")),
        ("invalid_value", "no folder", ("jsonl", "-", "--report", "no-such-folder/report.csv")),
        ("invalid_value", "actor", ("jsonl", "no-such-file", "--actor", "")),
    ],
)
def test_an_import_that_can_not_be_read_writes_nothing(
    daybook: Daybook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, said: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in daybook.refuses(3, code, "import", *arguments)["message"]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("is no JSON", b"{"),
        ("sku", b'{"type":"describe_product"}\n'),
        ("colour", b'{"type":"describe_product","sku":"B","colour":"red"}\n'),
    ],
)
def test_a_malformed_line_refuses_the_whole_file_and_names_it(daybook: Daybook, said: str, line: bytes) -> None:
    with daybook.unchanged():
        answer = daybook("import", "jsonl", "-", "--json", stdin=lines(described("A")) + line)
    assert (answer.code, answer.stdout, answer.problem["code"]) == (3, "", "import_refused")
    assert "stdin, line 2" in answer.problem["message"] and said in answer.problem["message"]


def test_an_akeneo_export_is_imported_and_listed(daybook: Daybook, tmp_path: Path) -> None:
    for name, text in {
        "attributes": "code;type;localizable;scopable\nsku;pim_catalog_identifier;0;0\nname;pim_catalog_text;0;0\n",
        "attribute_options": "code;attribute\n",
        "categories": "code;parent\nmaster;\n",
        "families": "code;attributes\nshoes;sku,name\n",
        "channels": "code;locales;currencies;tree\necommerce;en_US;EUR;master\n",
        "products": "sku;categories;family;enabled;name\nA;master;shoes;1;Boot\n",
    }.items():
        (tmp_path / f"{name}.csv").write_text(text)
    done = daybook.json("import", "akeneo", tmp_path, "--list-on", "webshop")
    assert (done["ended"], done["failed"]) == ("complete", 0)
    assert daybook.json("product", "show", "A")["channels"]["webshop"] is True


def test_an_export_is_what_an_import_takes_at_any_moment(daybook: Daybook, tmp_path: Path) -> None:
    daybook.json("import", "jsonl", "-", stdin=lines({"type": "define_attribute", "attribute": COLOUR}, described("A")))
    then = daybook.head()
    early = daybook("catalogue", "export")
    daybook.json("product", "create", "B")
    assert "position" in early.stderr
    assert [one.get("sku") for one in daybook("catalogue", "export").lines[2:]] == ["A", "B"]
    assert daybook("catalogue", "export", "-", "--position", then, "--json").stdout == early.stdout
    file = tmp_path / "catalogue.jsonl"
    assert daybook.json("catalogue", "export", file, "--position", then) == {
        "file": str(file),
        "lines": 3,
        "position": then,
    }
    assert file.read_text() == early.stdout
    with daybook.unchanged():
        daybook.json("import", "jsonl", file)
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.jsonl"]


@pytest.mark.parametrize(
    ("field", "arguments"),
    [("FILE", ("no-such-folder/x",)), ("at", ("-", "--at", "soon")), ("position", ("-", "--position", "99"))],
)
def test_an_export_that_can_not_be_made_is_told(
    daybook: Daybook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert daybook.refuses(3, "invalid_value", "catalogue", "export", *arguments)["details"]["field"] == field


def test_the_log_is_shown_and_counted(daybook: Daybook) -> None:
    assert daybook("log", "tail").stdout == ""
    for sku in ("A", "B", "C"):
        daybook.json("product", "create", sku)
    shown = daybook("log", "tail", "-n", 2, "--json").lines
    assert [(one["position"], one["data"]["sku"]) for one in shown] == [(2, "B"), (3, "C")]
    assert daybook("log", "tail", "-n", 2).stdout.count("\n") == 2
    stats = daybook.json("log", "stats")
    assert (stats["position"], stats["types"][0]["type"], stats["types"][0]["count"]) == (3, "product.created.v1", 3)
    assert "product.created.v1" in daybook("log", "stats").stdout


def test_following_the_log_shows_what_comes_until_ctrl_c(daybook: Daybook) -> None:
    daybook.json("product", "create", "A")
    command = [sys.executable, "-m", "daybook", "log", "tail", "--follow", "--json"]
    with subprocess.Popen(
        command, env={**os.environ, **daybook.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        assert json.loads(child.stdout.readline())["data"]["sku"] == "A"
        daybook.json("product", "create", "B")
        assert json.loads(child.stdout.readline())["data"]["sku"] == "B"
        child.send_signal(signal.SIGINT)
        assert (child.wait(20), child.stderr.read()) == (0, "")


def test_channels_that_never_ran_are_none_and_unknown_ones_are_named(daybook: Daybook) -> None:
    assert daybook.json("channel", "list") == []
    assert "daybook up" in daybook("channel", "list").stdout
    daybook.json("product", "create", "A")
    assert daybook.json("channel", "listing", "A") == {"sku": "A", "channels": {}, "attempts": {}}
    assert "ebay" in daybook.refuses(4, "not_found", "channel", "show", "ebay")["message"]
    assert "ebay" in daybook.refuses(4, "not_found", "channel", "listing", "A", "--channel", "ebay")["message"]
    assert "daybook up" in daybook.refuses(4, "not_found", "channel", "show", "bol")["message"]
    assert "NOPE" in daybook.refuses(4, "not_found", "channel", "listing", "NOPE")["message"]
    assert daybook.refuses(3, "invalid_value", "channel", "listing", "a b")["details"]["field"] == "sku"


def test_the_stream_is_removed_only_when_that_is_meant(daybook: Daybook, nats_url: str) -> None:
    async def last(make: bool = False) -> int | None:
        nats = Nats(nats_url, "test")
        await nats.open()
        stream = Stream(nats)
        if make:
            await stream.create()
        try:
            return await stream.last_sequence()
        finally:
            await nats.close()

    daybook.environ["DAYBOOK_NATS"] = nats_url
    assert asyncio.run(last(make=True)) == 0
    refused = daybook("stream", "reset", stdin=b"n\n")
    assert (refused.code, asyncio.run(last())) == (1, 0)
    assert "nothing was changed" in refused.stderr
    assert daybook.json("stream", "reset", "--yes") == {"reset": True, "rebuilt": []}
    assert asyncio.run(last()) is None
    assert daybook("stream", "reset", "--yes").code == 0


@pytest.mark.long
def test_ctrl_c_ends_an_import_between_two_rows_and_running_it_again_goes_on(daybook: Daybook, tmp_path: Path) -> None:
    file, count = tmp_path / "many.jsonl", 4000
    file.write_bytes(lines(*(described(f"SKU-{number}") for number in range(count))))
    command = [sys.executable, "-m", "daybook", "import", "jsonl", str(file), "--json"]
    with subprocess.Popen(
        command, env={**os.environ, **daybook.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        until(lambda: daybook.head() > 0 or child.poll() is not None, "some rows are in the book")
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, json.loads(out)["ended"], json.loads(err)["code"]) == (130, "stopped", "interrupted")
    assert "again" in json.loads(err)["message"]
    taken = daybook.head()
    assert 0 < taken == json.loads(out)["taken"] < count
    rest = daybook.json("import", "jsonl", file)
    assert (rest["counts"]["product"]["unchanged"], rest["counts"]["product"]["created"]) == (taken, count - taken)


def test_ctrl_c_while_an_import_still_starts_ends_it_in_one_line(daybook: Daybook, tmp_path: Path) -> None:
    pipe = tmp_path / "slow.jsonl"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "daybook", "import", "jsonl", str(pipe)]
    with (
        subprocess.Popen(
            command, env={**os.environ, **daybook.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as child,
        pipe.open("wb"),
    ):  # returns when the import reads, and it waits for more
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, "", "daybook: interrupted\n")
    assert daybook.head() == 0


def test_a_catalogue_shows_each_product_with_its_title_and_gtin_and_a_variant_with_its_models_title(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def title(text: str, locale: str | None = None) -> list[dict[str, Any]]:
        return [{"attribute": "title", "value": text, "locale": locale}]

    given = (
        {"type": "define_attribute", "attribute": COLOUR},
        {"type": "define_attribute", "attribute": {"code": "title", "type": "text", "localizable": True}},
        {"type": "define_family", "family": {"code": "coats", "attributes": ["title"], "label_attribute": "title"}},
        described("A", family="coats", gtin="4006381333931", attributes=title("Regenjas", "nl-NL")),
        described("M", kind="model", family="coats", axes=["color"], attributes=title("Parka", "de-DE")),
        described("M-1", kind="variant", parent="M", attributes=[{"attribute": "color", "value": "red"}]),
    )
    daybook.json("import", "jsonl", "-", stdin=lines(*given))
    groups = daybook.json("catalogue", "show")["groups"]
    assert [one["labels"] for one in groups] == [
        {"A": {"nl-NL": "Regenjas"}},
        {"M": {"de-DE": "Parka"}, "M-1": {"de-DE": "Parka"}},
    ]
    piped = daybook("catalogue", "show").stdout.splitlines()
    assert [line.split()[:3] for line in piped[:4]] == [
        ["SKU", "title", "GTIN"],
        ["A", "Regenjas", "4006381333931"],
        ["M", "Parka", "model"],
        ["M-1", "Parka", "variant"],
    ]
    monkeypatch.setenv("COLUMNS", "40")
    narrow = daybook("catalogue", "show").stdout.splitlines()
    assert narrow[0].strip() == "SKU A, title Regenjas" and max(map(len, narrow)) <= 40
