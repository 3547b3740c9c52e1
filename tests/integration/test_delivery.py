"""A channel is brought to a state, not sent a history."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from daybook.channel.contract import Manifest
from daybook.commands import ChangePrice, CountStock, DelistProduct, DescribeProduct
from daybook.events import AttributeChange, ListingAccepted, ListingConfirmed, ListingRejected, Recorded
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.pipeline import Line, product, until

Case = tuple[Line, ToySandbox]


@asynccontextmanager
async def shop(database: str, nats_url: str, manifest: Manifest | None = None, workers: int = 1) -> AsyncIterator[Case]:
    """The whole line in this process, with the attributes defined."""
    sandbox = ToySandbox()
    await sandbox.start()
    try:
        async with Line(database, nats_url, manifest or toy()) as line:
            line.relay()
            line.runner()
            await line.model()
            for _ in range(workers):
                line.delivery(sandbox.settings())
            yield line, sandbox
    finally:
        sandbox.gate.set()
        await sandbox.stop()


def receipts(line: Line) -> list[Recorded]:
    kinds = ListingAccepted | ListingConfirmed | ListingRejected
    return [one for one in line.app.reader.all_after(0) if isinstance(one.event, kinds)]


def rename(sku: str, name: str) -> DescribeProduct:
    return DescribeProduct(sku=sku, attributes=(AttributeChange(attribute="name", value=name),))


def test_a_new_listing_is_brought_in_one_request_and_confirmed(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            assert sandbox.shown() == {"A": {"name": "thing A", "label": "", "price": 1000, "stock": 5}}
            assert [(sku, facet, state, same) for sku, facet, state, _, same in line.rows()] == [
                ("A", facet, "confirmed", True) for facet in ("offer", "price", "stock")
            ]
            assert sandbox.count("A") == 1

    asyncio.run(main())


def test_only_the_facet_that_differs_is_sent(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"), product("B"))
            await line.level()
            await line.say(ChangePrice(sku="A", amount="12.50", currency="EUR"))
            await line.level()
            assert sandbox.writes[2:] == [("PATCH", "A", {"price": {"price": 1250}})]

    asyncio.run(main())


def test_a_receipt_says_which_change_it_acknowledges(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, _):
            await line.say(product("A"))
            await line.level()
            (done,) = await line.say(ChangePrice(sku="A", amount="12.50", currency="EUR"))
            await line.level()
            change = line.app.reader.after((done.first or 0) - 1, 1)[0]
            receipt = receipts(line)[-1]
            assert isinstance(receipt.event, ListingConfirmed)
            assert (receipt.causation_id, receipt.correlation_id) == (change.event_id, change.correlation_id)
            assert [(one.facet, one.position) for one in receipt.event.facets] == [("price", change.position)]
            assert receipt.key == "A" and receipt.actor == "channel:toy"

    asyncio.run(main())


def test_a_rejected_listing_stays_so_with_its_reasons_until_a_newer_state(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A", "a bad name"), product("B"))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            await until(lambda: "B" in sandbox.shown(), "B is shown: A does not block it")
            ((sku, facet, _, reasons),) = line.channels.rejected("toy")
            assert (sku, facet, [one.message for one in reasons]) == ("A", "offer", ["this name is bad"])
            await line.say(CountStock(sku="B", quantity=8))
            await until(lambda: sandbox.shown()["B"]["stock"] == 8, "B's stock came, so A's had its turn")
            assert sandbox.count("A") == 1
            await line.say(CountStock(sku="A", quantity=7))
            await until(lambda: sandbox.count("A") == 2, "a newer state of any facet is a reason to offer it again")
            await until(lambda: line.channels.rejected("toy"), "and it is refused again")
            await line.say(rename("A", "a fine name"))
            await line.level()
            assert sandbox.shown()["A"] == {"name": "a fine name", "label": "", "price": 1000, "stock": 7}
            assert sandbox.count("A") == 3 and not line.channels.rejected("toy")

    asyncio.run(main())


def test_a_change_that_is_refused_and_taken_back_sends_nothing(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            await line.say(rename("A", "bad"))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            await line.say(rename("A", "thing A"))
            await line.level()
            assert [method for method, _, _ in sandbox.writes] == ["PUT", "PUT"]
            assert sandbox.shown()["A"]["name"] == "thing A"

    asyncio.run(main())


def test_an_accepted_submission_is_asked_after_until_it_is_confirmed(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            sandbox.asynchronous = sandbox.pending = True
            await line.say(product("A"))
            await until(lambda: sum(one.method == "GET" for one in sandbox.received) > 1, "it is asked after twice")
            assert {row[2] for row in line.rows()} == {"accepted"}
            sandbox.pending = False
            await line.level()
            assert sandbox.count("A") == 1
            assert [type(one.event) for one in receipts(line)] == [ListingAccepted, ListingConfirmed]

    asyncio.run(main())


def test_an_accepted_submission_may_come_back_rejected(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            sandbox.asynchronous = True
            await line.say(product("A", "bad"))
            await until(lambda: len(line.channels.rejected("toy")) == 3, "all that was submitted is rejected")
            assert sandbox.count("A") == 1

    asyncio.run(main())


def test_a_state_that_changed_while_its_request_was_under_way_is_sent_afterwards(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            sandbox.gate.clear()
            await line.say(product("A"))
            await until(lambda: sandbox.count("A"), "the first state is under way")
            await line.say(ChangePrice(sku="A", amount="1.00", currency="EUR"))
            await line.say(ChangePrice(sku="A", amount="2.00", currency="EUR"))
            await line.caught_up()
            sandbox.gate.set()
            await line.level()
            assert sandbox.writes[1:] == [("PATCH", "A", {"price": {"price": 200}})]

    asyncio.run(main())


def test_a_state_that_changed_while_it_was_accepted_is_sent_after_the_confirmation(
    database: str, nats_url: str
) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            sandbox.asynchronous = sandbox.pending = True
            await line.say(product("A"))
            await until(lambda: [row for row in line.rows() if row[2] == "accepted"], "it is accepted")
            await line.say(ChangePrice(sku="A", amount="2.00", currency="EUR"))
            await line.caught_up()
            assert sandbox.count("A") == 1
            sandbox.pending = False
            await line.level()
            assert sandbox.shown()["A"]["price"] == 200 and sandbox.count("A") == 2

    asyncio.run(main())


def test_an_answer_that_was_lost_does_not_leave_what_was_taken_back_since(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            sandbox.faults.drop_answer_next = 1
            sandbox.gate.clear()
            await line.say(ChangePrice(sku="A", amount="2.00", currency="EUR"))
            await until(lambda: sandbox.count("A") == 2, "the new price is under way")
            await line.say(ChangePrice(sku="A", amount="10.00", currency="EUR"))
            await line.caught_up()
            sandbox.gate.set()
            await until(lambda: sandbox.count("A") == 3, "the old price is sent again, as nobody knows what is there")
            await line.level()
            assert sandbox.shown()["A"]["price"] == 1000

    asyncio.run(main())


def test_a_lost_answer_is_made_good_by_a_second_try(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            sandbox.faults.drop_answer_next = 1
            await line.say(product("A"))
            await line.level()
            assert sandbox.count("A") == 2 and sandbox.shown()["A"]["price"] == 1000

    asyncio.run(main())


def test_a_throttle_is_no_failure(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            sandbox.faults.throttle_next = 5
            await line.say(*(product(f"P{n}") for n in range(10)))
            await line.level()
            assert len(sandbox.shown()) == 10
            with psycopg.connect(database) as conn:
                rows = conn.execute("SELECT outcome, count(*) FROM attempts GROUP BY 1").fetchall()
                errors = conn.execute("SELECT count(*) FROM lanes WHERE last_error IS NOT NULL").fetchone()
            assert dict(rows) == {"throttled": 5, "confirmed": 10} and errors == (0,)

    asyncio.run(main())


def test_after_an_outage_each_product_gets_its_newest_state_once(database: str, nats_url: str) -> None:
    async def main() -> None:
        skus = [f"P{n}" for n in range(40)]
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(*(product(sku) for sku in skus))
            await line.level()
            sandbox.faults.outage = True
            for price in range(1, 6):
                await line.say(*(ChangePrice(sku=sku, amount=f"{price}.00", currency="EUR") for sku in skus))
            await line.caught_up()
            await until(lambda: line.status().last_error, "the outage is known")
            during = [one for one in sandbox.received if one.status is None or one.status == 500]
            assert len(during) < 40, f"the breaker holds back: {len(during)} requests into the outage"
            sandbox.faults.outage = False
            await line.level()
            assert sandbox.writes[40:] and sorted(sandbox.writes[40:]) == sorted(
                ("PATCH", sku, {"price": {"price": 500}}) for sku in skus
            )

    asyncio.run(main())


def test_a_delisted_product_is_taken_off(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            await line.say(DelistProduct(sku="A", channel="toy"))
            await until(lambda: not sandbox.shown(), "A is off")
            await line.level()
            assert line.rows() == [] and [m for m, _, _ in sandbox.writes] == ["PUT", "DELETE"]
            with psycopg.connect(database) as conn:
                assert conn.execute("SELECT count(*) FROM remote_ids").fetchone() == (0,)

    asyncio.run(main())


def test_a_product_that_was_rejected_and_delisted_needs_no_request(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A", "bad"))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            await line.say(DelistProduct(sku="A", channel="toy"))
            await line.level()
            assert sandbox.count("A") == 1

    asyncio.run(main())


def test_a_listing_whose_change_was_rejected_is_still_taken_off(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            await line.say(rename("A", "bad"))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            await line.say(DelistProduct(sku="A", channel="toy"))
            await until(lambda: not sandbox.shown(), "A is off")
            await line.level()

    asyncio.run(main())


def test_in_a_group_lane_the_root_goes_first_and_never_two_at_once(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url, toy("group"), workers=2) as (line, sandbox):
            sandbox.lane_of = {f"{root}-{n}": root for root in ("Z", "M") for n in range(4)}
            sandbox.faults.slow_seconds = 0.005
            for root in ("Z", "M"):
                await line.say(product(root, kind="model"))
                await line.say(*(product(f"{root}-{n}", parent=root, kind="variant") for n in range(4)))
            await line.level()
            for n in range(3):
                await line.say(*(CountStock(sku=sku, quantity=10 + n) for sku in sandbox.lane_of))
            await line.level()
            first = list(dict.fromkeys(sku for _, sku, _ in sandbox.writes))
            assert all(first.index(root) < first.index(sku) for sku, root in sandbox.lane_of.items())
            assert sandbox.overlaps == []

    asyncio.run(main())


def test_in_sku_lanes_a_variant_waits_for_its_root(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            sandbox.gate.clear()
            await line.say(product("Z", kind="model"))
            await until(lambda: sandbox.count("Z"), "the root is under way")
            await line.say(product("Z-1", parent="Z", kind="variant"))
            await line.caught_up()
            sandbox.gate.set()
            await line.level()
            assert [sku for _, sku, _ in sandbox.writes] == ["Z", "Z-1"]

    asyncio.run(main())


def test_two_workers_share_a_channel_and_never_a_lane(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url, workers=2) as (line, sandbox):
            sandbox.gate.clear()
            skus = [f"P{n}" for n in range(30)]
            await line.say(*(product(sku) for sku in skus))
            await until(lambda: sandbox.at_once_max == 8, "both workers have four requests under way")
            sandbox.gate.set()
            for n in range(4):
                await line.say(*(CountStock(sku=sku, quantity=20 + n) for sku in skus))
            await line.level()
            assert sandbox.overlaps == []
            assert {item["stock"] for item in sandbox.shown().values()} == {23}

    asyncio.run(main())


def test_a_held_product_is_not_sent_and_a_shown_one_is_taken_off_when_it_becomes_held(
    database: str, nats_url: str
) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A", attributes=()))
            await line.level()
            assert sandbox.writes == [] and line.channels.held("toy") == [("A", "offer", ("it has no name",))]
            await line.say(rename("A", "thing"))
            await until(lambda: "A" in sandbox.shown(), "A is shown")
            await line.say(DescribeProduct(sku="A", attributes=()))
            await until(lambda: not sandbox.shown(), "A is off")
            await line.level()

    asyncio.run(main())


def test_a_command_is_never_shown_by_half(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(*(product(f"P{n}") for n in range(60)))
            await line.level()
            assert [body["stock"] for _, _, body in sandbox.writes] == [{"stock": 5}] * 60

    asyncio.run(main())
