"""`daybook channel rejected|retry|resync`: a person puts a channel right."""

import asyncio
import csv
import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from daybook.commands import DefineAttribute
from daybook.events import AttributeDefined
from daybook_projections.webshop import manifest as webshop
from tests.fixtures.commandline import Daybook
from tests.fixtures.pipeline import ROOT, Pipeline, product

LISTED = {"webshop": True}
REFUSE = """
UPDATE deliveries SET state = 'rejected', acknowledged = NULL, reasons = %s::json
WHERE channel = 'webshop' AND sku = ANY(%s) AND facet = 'product'"""


def reasons(code: str, message: str) -> str:
    return json.dumps([{"code": code, "message": message, "field": "name"}])


async def filled(database: str, nats_url: str, settings: dict[str, str]) -> None:
    """A book with four products that the shop shows."""
    async with Pipeline(database, nats_url, webshop) as pipeline:
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(settings)
        await pipeline.carry_out(
            *(DefineAttribute(attribute=AttributeDefined(code=code, type="text")) for code in ("name", "brand"))
        )
        await pipeline.carry_out(*(product(sku, channels=LISTED) for sku in ("A", "B", "C", "D")))
        await pipeline.level()


@pytest.fixture
def sold(database: str, nats_url: str) -> str:
    async def main() -> None:
        assert webshop.sandbox is not None
        sandbox = webshop.sandbox()
        await sandbox.start()
        await filled(database, nats_url, sandbox.settings())
        await sandbox.stop()

    asyncio.run(main())
    return database


@pytest.fixture
def refused(sold: str) -> str:
    """Of the four, three are said to have been refused for two reasons; the worker is gone."""
    with psycopg.connect(sold) as conn:
        conn.execute(REFUSE, (reasons("bad_name", "no such\nname"), ["A", "B"]))
        conn.execute(REFUSE, (reasons("=HYPERLINK", "a \x1b[31mred one"), ["C"]))
    return sold


def states(database: str) -> dict[str, str]:
    with psycopg.connect(database) as conn:
        return dict(conn.execute("SELECT sku, state FROM deliveries WHERE facet = 'product'").fetchall())


def test_rejections_are_counted_by_code_and_listed_by_product(refused: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": refused})
    found = daybook.json("channel", "rejected")
    assert [(one["code"], one["count"]) for one in found["codes"]] == [("bad_name", 2), ("=HYPERLINK", 1)]
    assert [one["sku"] for one in found["rejected"]] == ["A", "B", "C"]
    assert [one["sku"] for one in daybook.json("channel", "rejected", "webshop", "--code", "bad_name")["rejected"]] == [
        "A",
        "B",
    ]
    some = daybook.json("channel", "rejected", "webshop", "--sku", "B", "--sku", "C", "--facet", "product")
    assert [one["sku"] for one in some["rejected"]] == ["B", "C"]
    assert daybook.json("channel", "rejected", "--since", "2999-01-01")["rejected"] == []
    assert daybook.json("channel", "rejected", "bol") == {"codes": [], "rejected": []}
    plain = daybook("channel", "rejected", "webshop", "--first", "1").stdout
    assert "2 x bad_name  webshop: no such" in plain and "and 2 more" in plain
    assert "\x1b" not in plain, "a marketplace's words steer no terminal"
    daybook.refuses(4, "not_found", "channel", "rejected", "nobody")


def test_an_export_is_whole_as_csv_and_as_json_lines_or_not_there(refused: str, tmp_path: Path) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": refused})
    table, lines = tmp_path / "r.csv", tmp_path / "r.jsonl"
    assert daybook.json("channel", "rejected", "--export", table) == {"file": str(table), "rejected": 3}
    daybook.json("channel", "rejected", "--sku", "C", "--export", lines)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["sku"], row["code"], row["message"]) for row in rows[:2]] == [
        ("A", "bad_name", "no such\nname"),
        ("B", "bad_name", "no such\nname"),
    ]
    (one,) = [json.loads(pipeline) for pipeline in lines.read_text().splitlines()]
    assert (one["sku"], one["reasons"][0]["code"]) == ("C", "=HYPERLINK")
    daybook.refuses(3, "invalid_value", "channel", "rejected", "--export", tmp_path / "r.xlsx")
    daybook.refuses(3, "invalid_value", "channel", "rejected", "--export", tmp_path / "nowhere" / "r.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.jsonl"]


def test_a_retry_offers_again_what_was_rejected_all_of_it_or_some(refused: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": refused})
    retried = daybook.json("channel", "retry", "webshop", "--code", "bad_name", "--sku", "A")
    assert (retried["skus"], retried["facets"], retried["back"]) == (1, 1, [])
    assert states(refused) == {"A": "due", "B": "rejected", "C": "rejected", "D": "confirmed"}
    assert daybook.json("channel", "retry", "webshop", "--rejected")["skus"] == 2
    assert set(states(refused).values()) == {"due", "confirmed"}
    assert "0 SKUs" in daybook("channel", "retry", "webshop").stdout
    daybook.refuses(4, "not_found", "channel", "retry", "webshop", "--sku", "NOBODY")
    daybook.refuses(5, "refused", "channel", "retry", "timeline", "--rejected")


def test_a_resync_marks_what_is_chosen_and_asks_before_a_whole_channel(sold: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": sold})
    some = daybook.json("channel", "resync", "webshop", "--sku", "A", "--dry-run")
    assert some == {"channel": "webshop", "skus": 1, "facets": 3, "dry_run": True}
    assert set(states(sold).values()) == {"confirmed"}
    problem = daybook.refuses(5, "refused", "channel", "resync", "webshop")
    assert "12 facets of 4 SKUs" in problem["message"] and "--yes" in problem["message"]
    assert "1 SKUs are sent again" in daybook("channel", "resync", "webshop", "--sku", "A").stdout
    assert states(sold)["A"] == "due"
    assert daybook.json("channel", "resync", "webshop", "--yes")["skus"] == 3
    assert set(states(sold).values()) == {"due"}
    daybook.refuses(3, "invalid_value", "channel", "resync", "webshop", "--since", "yesterday")
    assert [one["sentence"] for one in daybook.json("channel", "history", "webshop")][-2:] == [
        "webshop resynced (skus A): 3 facets",
        "webshop resynced: 9 facets",
    ]


@pytest.mark.parametrize(("answer", "state"), [("n", {"confirmed"}), ("y", {"due"})])
def test_on_a_terminal_a_person_is_asked(sold: str, answer: str, state: set[str]) -> None:
    near, far = pty.openpty()
    environ = {**os.environ, "DAYBOOK_POSTGRES": sold, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "daybook", "channel", "resync", "webshop"]
    os.write(near, f"{answer}\n".encode())
    done = subprocess.run(command, stdin=far, capture_output=True, text=True, env=environ, cwd=ROOT, check=False)
    os.close(near)
    os.close(far)
    assert "Send 12 facets of 4 SKUs" in done.stderr
    assert done.returncode == (0 if answer == "y" else 1), done.stderr
    assert set(states(sold).values()) == state


@contextmanager
def drifting(database: str, nats_url: str, change: Any) -> Iterator[dict[str, str]]:
    """A shop in a thread of its own that was changed by hand; the program's environment with its connection."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def do(what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what, loop).result(60)

    assert webshop.sandbox is not None
    sandbox: Any = webshop.sandbox()
    try:
        do(sandbox.start())
        do(filled(database, nats_url, sandbox.settings()))
        change(sandbox)
        told = {f"DAYBOOK_CHANNEL_WEBSHOP_{name.upper()}": value for name, value in sandbox.settings().items()}
        yield {"DAYBOOK_POSTGRES": database, **told}
        do(sandbox.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_drift_is_read_from_the_channel_told_and_marked(database: str, nats_url: str) -> None:
    def change(sandbox: Any) -> None:
        for one in sandbox.shop.records.values():
            if one["sku"] == "B":
                one["regular_price"] = "1.00"

    with drifting(database, nats_url, change) as environ:
        daybook = Daybook(environ)
        found = daybook.json("channel", "resync", "webshop", "--drift-only", "--dry-run")
        assert (found["compared"], found["skus"], found["stopped"]) == (4, 1, None)
        (one,) = found["drifted"]
        assert (one["sku"], one["field"], one["shown"], one["said"]) == ("B", "regular_price", "1.00", "10.00")
        plain = daybook("channel", "resync", "webshop", "--drift-only", "--sku", "A", "--sku", "B").stdout
        assert "2 of 2 SKUs compared, 1 facets of 1 SKUs differ" in plain and "10.00" in plain
        with psycopg.connect(database) as conn:
            due = conn.execute("SELECT sku, facet FROM deliveries WHERE state = 'due'").fetchall()
        assert due == [("B", "price")]
        assert [one["sentence"] for one in daybook.json("channel", "history", "webshop")][-1:] == [
            "webshop resynced (skus A, B): what it shows differently"
        ], "and of the dry run nothing"


def test_a_channel_without_a_connection_here_says_where_to_put_it_and_one_that_is_down_how_far_it_came(
    sold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daybook.delivery.drift.TRIES_MAX", 1)
    daybook = Daybook({"DAYBOOK_POSTGRES": sold})
    problem = daybook.refuses(7, "bad_configuration", "channel", "resync", "webshop", "--drift-only")
    assert "DAYBOOK_CHANNEL_WEBSHOP_URL" in problem["message"]
    settings = {"URL": "http://127.0.0.1:9", "CONSUMER_KEY": "k", "CONSUMER_SECRET": "s", "KEY": "k", "SECRET": "s"}
    told = {f"DAYBOOK_CHANNEL_WEBSHOP_{name}": value for name, value in settings.items()}
    answer = Daybook({"DAYBOOK_POSTGRES": sold, **told})("--json", "channel", "resync", "webshop", "--drift-only")
    assert (answer.code, answer.json["compared"]) == (6, 0)
    assert "0 of 4 SKUs were compared" in answer.problem["message"]
