"""`daybook channel parked|retry|discard|pause|resume`: a person looks after a channel."""

import asyncio
import json

import psycopg
import pytest

from daybook.channel.registry import installed
from daybook.commands import CountStock
from tests.fixtures.commandline import Daybook
from tests.fixtures.pipeline import Pipeline, product

PARK = """
INSERT INTO parked (projection, generation, key, position, event_id, type, sku, error, place, events)
SELECT 'bol', 1, key, position, event_id, type, sku, 'ValueError: no', 'listing.py:1 in fold', 1
FROM events WHERE sku = 'ILL' AND type = 'stock.counted.v1' ORDER BY position DESC LIMIT 1"""


@pytest.fixture
def ill(database: str, nats_url: str) -> str:
    """A book with two products, of which bol's code is said to have failed on one: the one's last count."""

    async def main() -> None:
        async with Pipeline(database, nats_url, installed().get("bol")) as pipeline:
            pipeline.relay()
            pipeline.runner()
            await pipeline.define_attributes()
            await pipeline.carry_out(*(product(sku, channels={"bol": True}) for sku in ("ILL", "FINE")))
            await pipeline.carry_out(CountStock(sku="ILL", quantity=7))
            await pipeline.caught_up()

    asyncio.run(main())
    with psycopg.connect(database) as conn:
        conn.execute(PARK)
    return database


def test_a_parked_group_is_listed_with_event_and_error_and_comes_back_on_retry(ill: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": ill})
    (group,) = daybook.json("channel", "parked", "bol")
    assert (group["key"], group["sku"], group["error"]) == ("ILL", "ILL", "ValueError: no")
    (bol,) = [one for one in daybook.json("channel", "list") if one["name"] == "bol"]
    assert bol["parked"] == 1
    assert daybook.json("channel", "retry", "bol", "--key", "ILL") == {
        "projection": "bol",
        "back": ["ILL"],
        "parked": [],
        "skus": 0,
        "facets": 0,
    }
    assert daybook.json("channel", "parked", "bol") == []


def test_a_discard_needs_a_reason_and_is_an_event(ill: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": ill})
    assert "reason" in daybook.refuses(5, "refused", "channel", "discard", "bol", "ILL")["message"]
    answer = daybook.json("channel", "discard", "bol", "ILL", "--reason", "a miscount")
    assert answer == {"projection": "bol", "back": ["ILL"], "parked": []}
    with psycopg.connect(ill) as conn:
        rows = conn.execute("SELECT reason, key FROM events WHERE stream = 'projection/bol'").fetchall()
    assert rows == [("a miscount", "ILL")]


def test_a_group_that_is_not_parked_is_not_found(ill: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": ill})
    assert "FINE" in daybook.refuses(4, "not_found", "channel", "retry", "bol", "--key", "FINE")["message"]
    assert "nobody" in daybook.refuses(4, "not_found", "channel", "parked", "nobody")["message"]


def test_a_channel_is_paused_and_resumed_and_stays_so(ill: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": ill})
    assert daybook.json("channel", "pause", "bol") == {"channel": "bol", "paused": True}
    assert daybook.json("channel", "list")[0]["paused"] is True
    assert daybook.json("channel", "resume", "bol") == {"channel": "bol", "paused": False}
    assert daybook.json("channel", "list")[0]["paused"] is False


def test_who_paused_retried_and_left_out_what_is_told_of_the_channel(ill: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": ill})
    why = ("--actor", "mia", "--reason", "prices are checked")
    daybook.json("channel", "retry", "bol", "--actor", "jan")
    daybook.json("channel", "pause", "bol", *why)
    with daybook.unchanged():
        daybook.json("channel", "pause", "bol", *why)
        daybook.refuses(4, "not_found", "channel", "retry", "bol", "--key", "FINE")
        daybook.refuses(4, "not_found", "channel", "pause", "nobody")
        daybook.refuses(3, "invalid_value", "channel", "pause", "bol", "--actor", " ")
    (item,) = [one for one in json.loads(daybook("status", "--json").stdout)["waiting"] if one["kind"] == "paused"]
    assert (item["channel"], item["reason"]) == ("bol", "paused by mia")
    told = daybook.json("channel", "history", "bol")
    assert [(one["sentence"], one["actor"], one["reason"], one["access"]) for one in told[-2:]] == [
        ("bol retried: 1 parked groups, 0 rejected facets", "jan", None, None),
        ("bol paused", "mia", "prices are checked", None),
    ]
    assert daybook.json("channel", "show", "bol", "--first", "1")["done"] == told[-1:]
    assert "prices are checked" in daybook("channel", "show", "bol").stdout
    assert [one["sentence"] for one in daybook.json("channel", "history", "bol", "--after", told[-2]["position"])] == [
        "bol paused"
    ]
    assert "bol paused" in daybook("channel", "history", "bol").stdout


def test_a_channel_that_is_made_anew_from_the_log_is_paused_as_it_was(ill: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": ill})

    def anew() -> tuple[bool, str | None]:
        with psycopg.connect(ill) as conn:
            conn.execute("TRUNCATE projections CASCADE")
        daybook.json("channel", "parked", "bol")  # whoever needs the projection makes it
        (bol,) = daybook.json("channel", "list")
        return bol["paused"], bol["paused_by"]

    assert anew() == (False, None)
    daybook.json("channel", "pause", "bol", "--actor", "mia")
    assert anew() == (True, "mia")
    daybook.json("channel", "resume", "bol")
    assert anew() == (False, None)
