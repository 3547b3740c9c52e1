"""`daybook channel parked|retry|discard|pause|resume`: a person looks after a channel."""

import asyncio

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
