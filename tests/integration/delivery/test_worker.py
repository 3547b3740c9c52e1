"""A channel is brought to a state, not sent a history."""

import psycopg

from daybook.commands import ChangePrice, CountStock, DelistProduct, DescribeProduct
from daybook.events import ListingAccepted, ListingConfirmed
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import product, until
from tests.fixtures.toy_shop import receipts, rename, shop


async def test_a_new_listing_is_brought_in_one_request_and_confirmed(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        assert sandbox.shown() == {"A": {"name": "thing A", "label": "", "price": 1000, "stock": 5}}
        assert [(sku, facet, state, same) for sku, facet, state, _, same in pipeline.rows()] == [
            ("A", facet, "confirmed", True) for facet in ("offer", "price", "stock")
        ]
        assert sandbox.count("A") == 1


async def test_only_the_facet_that_differs_is_sent(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"), product("B"))
        await pipeline.level()
        await pipeline.carry_out(ChangePrice(sku="A", amount="12.50", currency="EUR"))
        await pipeline.level()
        assert sandbox.writes[2:] == [("PATCH", "A", {"price": {"price": 1250}})]


async def test_a_receipt_says_which_change_it_acknowledges(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, _):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        (done,) = await pipeline.carry_out(ChangePrice(sku="A", amount="12.50", currency="EUR"))
        await pipeline.level()
        change = pipeline.app.reader.after((done.first or 0) - 1, 1)[0]
        receipt = receipts(pipeline)[-1]
        assert isinstance(receipt.event, ListingConfirmed)
        assert (receipt.causation_id, receipt.correlation_id) == (change.event_id, change.correlation_id)
        assert [(one.facet, one.position) for one in receipt.event.facets] == [("price", change.position)]
        assert receipt.key == "A" and receipt.actor == "channel:toy"


async def test_a_rejected_listing_stays_so_with_its_reasons_until_a_newer_state(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A", "a bad name"), product("B"))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        await until(lambda: "B" in sandbox.shown(), "B is shown: A does not block it")
        ((sku, facet, _, reasons),) = pipeline.channels.rejected("toy")
        assert (sku, facet, [one.message for one in reasons]) == ("A", "offer", ["this name is bad"])
        await pipeline.carry_out(CountStock(sku="B", quantity=8))
        await until(lambda: sandbox.shown()["B"]["stock"] == 8, "B's stock came, so A's had its turn")
        assert sandbox.count("A") == 1
        await pipeline.carry_out(CountStock(sku="A", quantity=7))
        await until(lambda: sandbox.count("A") == 2, "a newer state of any facet is a reason to offer it again")
        await until(lambda: pipeline.channels.rejected("toy"), "and it is refused again")
        await pipeline.carry_out(rename("A", "a fine name"))
        await pipeline.level()
        assert sandbox.shown()["A"] == {"name": "a fine name", "label": "", "price": 1000, "stock": 7}
        assert sandbox.count("A") == 3 and not pipeline.channels.rejected("toy")


async def test_a_change_that_is_refused_and_taken_back_sends_nothing(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        await pipeline.carry_out(rename("A", "bad"))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        await pipeline.carry_out(rename("A", "thing A"))
        await pipeline.level()
        assert [method for method, _, _ in sandbox.writes] == ["PUT", "PUT"]
        assert sandbox.shown()["A"]["name"] == "thing A"


async def test_an_accepted_submission_is_asked_after_until_it_is_confirmed(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        sandbox.asynchronous = sandbox.pending = True
        await pipeline.carry_out(product("A"))
        await until(lambda: sum(one.method == "GET" for one in sandbox.received) > 1, "it is asked after twice")
        assert {row[2] for row in pipeline.rows()} == {"accepted"}
        sandbox.pending = False
        await pipeline.level()
        assert sandbox.count("A") == 1
        assert [type(one.event) for one in receipts(pipeline)] == [ListingAccepted, ListingConfirmed]


async def test_an_accepted_submission_may_come_back_rejected(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        sandbox.asynchronous = True
        await pipeline.carry_out(product("A", "bad"))
        await until(lambda: len(pipeline.channels.rejected("toy")) == 3, "all that was submitted is rejected")
        assert sandbox.count("A") == 1


async def test_a_state_that_changed_while_its_request_was_under_way_is_sent_afterwards(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        sandbox.gate.clear()
        await pipeline.carry_out(product("A"))
        await until(lambda: sandbox.count("A"), "the first state is under way")
        await pipeline.carry_out(ChangePrice(sku="A", amount="1.00", currency="EUR"))
        await pipeline.carry_out(ChangePrice(sku="A", amount="2.00", currency="EUR"))
        await pipeline.caught_up()
        sandbox.gate.set()
        await pipeline.level()
        assert sandbox.writes[1:] == [("PATCH", "A", {"price": {"price": 200}})]


async def test_a_state_that_changed_while_it_was_accepted_is_sent_after_the_confirmation(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        sandbox.asynchronous = sandbox.pending = True
        await pipeline.carry_out(product("A"))
        await until(lambda: [row for row in pipeline.rows() if row[2] == "accepted"], "it is accepted")
        await pipeline.carry_out(ChangePrice(sku="A", amount="2.00", currency="EUR"))
        await pipeline.caught_up()
        assert sandbox.count("A") == 1
        sandbox.pending = False
        await pipeline.level()
        assert sandbox.shown()["A"]["price"] == 200 and sandbox.count("A") == 2


async def test_an_answer_that_was_lost_does_not_leave_what_was_taken_back_since(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        sandbox.faults.drop_answer_next = 1
        sandbox.gate.clear()
        await pipeline.carry_out(ChangePrice(sku="A", amount="2.00", currency="EUR"))
        await until(lambda: sandbox.count("A") == 2, "the new price is under way")
        await pipeline.carry_out(ChangePrice(sku="A", amount="10.00", currency="EUR"))
        await pipeline.caught_up()
        sandbox.gate.set()
        await until(lambda: sandbox.count("A") == 3, "the old price is sent again, as nobody knows what is there")
        await pipeline.level()
        assert sandbox.shown()["A"]["price"] == 1000


async def test_a_lost_answer_is_made_good_by_a_second_try(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        sandbox.faults.drop_answer_next = 1
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        assert sandbox.count("A") == 2 and sandbox.shown()["A"]["price"] == 1000


async def test_a_throttle_is_no_failure(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        sandbox.faults.throttle_next = 5
        await pipeline.carry_out(*(product(f"P{n}") for n in range(10)))
        await pipeline.level()
        assert len(sandbox.shown()) == 10
        with psycopg.connect(database) as conn:
            rows = conn.execute("SELECT outcome, count(*) FROM attempts GROUP BY 1").fetchall()
            errors = conn.execute("SELECT count(*) FROM lanes WHERE last_error IS NOT NULL").fetchone()
        assert dict(rows) == {"throttled": 5, "confirmed": 10} and errors == (0,)


async def test_after_an_outage_each_product_gets_its_newest_state_once(database: str, nats_url: str) -> None:
    skus = [f"P{n}" for n in range(40)]
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(*(product(sku) for sku in skus))
        await pipeline.level()
        sandbox.faults.outage = True
        for price in range(1, 6):
            await pipeline.carry_out(*(ChangePrice(sku=sku, amount=f"{price}.00", currency="EUR") for sku in skus))
        await pipeline.caught_up()
        await until(lambda: pipeline.status().last_error, "the outage is known")
        during = [one for one in sandbox.received if one.status is None or one.status == 500]
        assert len(during) < 40, f"the breaker holds back: {len(during)} requests into the outage"
        sandbox.faults.outage = False
        await pipeline.level()
        assert sandbox.writes[40:] and sorted(sandbox.writes[40:]) == sorted(
            ("PATCH", sku, {"price": {"price": 500}}) for sku in skus
        )


async def test_a_delisted_product_is_taken_off(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        await pipeline.carry_out(DelistProduct(sku="A", channel="toy"))
        await until(lambda: not sandbox.shown(), "A is off")
        await pipeline.level()
        assert pipeline.rows() == [] and [m for m, _, _ in sandbox.writes] == ["PUT", "DELETE"]
        with psycopg.connect(database) as conn:
            assert conn.execute("SELECT count(*) FROM remote_ids").fetchone() == (0,)


async def test_a_product_that_was_rejected_and_delisted_needs_no_request(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A", "bad"))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        await pipeline.carry_out(DelistProduct(sku="A", channel="toy"))
        await pipeline.level()
        assert sandbox.count("A") == 1


async def test_a_listing_whose_change_was_rejected_is_still_taken_off(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        await pipeline.carry_out(rename("A", "bad"))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        await pipeline.carry_out(DelistProduct(sku="A", channel="toy"))
        await until(lambda: not sandbox.shown(), "A is off")
        await pipeline.level()


async def test_in_a_group_lane_the_root_goes_first_and_never_two_at_once(database: str, nats_url: str) -> None:
    async with shop(database, nats_url, toy("group"), workers=2) as (pipeline, sandbox):
        sandbox.lane_of = {f"{root}-{n}": root for root in ("Z", "M") for n in range(4)}
        sandbox.faults.slow_seconds = 0.005
        for root in ("Z", "M"):
            await pipeline.carry_out(product(root, kind="model"))
            await pipeline.carry_out(*(product(f"{root}-{n}", parent=root, kind="variant") for n in range(4)))
        await pipeline.level()
        for n in range(3):
            await pipeline.carry_out(*(CountStock(sku=sku, quantity=10 + n) for sku in sandbox.lane_of))
        await pipeline.level()
        first = list(dict.fromkeys(sku for _, sku, _ in sandbox.writes))
        assert all(first.index(root) < first.index(sku) for sku, root in sandbox.lane_of.items())
        assert sandbox.overlaps == []


async def test_in_sku_lanes_a_variant_waits_for_its_root(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        sandbox.gate.clear()
        await pipeline.carry_out(product("Z", kind="model"))
        await until(lambda: sandbox.count("Z"), "the root is under way")
        await pipeline.carry_out(product("Z-1", parent="Z", kind="variant"))
        await pipeline.caught_up()
        sandbox.gate.set()
        await pipeline.level()
        assert [sku for _, sku, _ in sandbox.writes] == ["Z", "Z-1"]


async def test_two_workers_share_a_channel_and_never_a_lane(database: str, nats_url: str) -> None:
    async with shop(database, nats_url, workers=2) as (pipeline, sandbox):
        sandbox.gate.clear()
        skus = [f"P{n}" for n in range(30)]
        await pipeline.carry_out(*(product(sku) for sku in skus))
        await until(lambda: sandbox.at_once_max == 8, "both workers have four requests under way")
        sandbox.gate.set()
        for n in range(4):
            await pipeline.carry_out(*(CountStock(sku=sku, quantity=20 + n) for sku in skus))
        await pipeline.level()
        assert sandbox.overlaps == []
        assert {item["stock"] for item in sandbox.shown().values()} == {23}


async def test_a_held_product_is_not_sent_and_a_shown_one_is_taken_off_when_it_becomes_held(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A", attributes=()))
        await pipeline.level()
        assert sandbox.writes == [] and pipeline.channels.held("toy") == [("A", "offer", ("it has no name",))]
        await pipeline.carry_out(rename("A", "thing"))
        await until(lambda: "A" in sandbox.shown(), "A is shown")
        await pipeline.carry_out(DescribeProduct(sku="A", kind="product", exact=True, attributes=()))
        await until(lambda: not sandbox.shown(), "A is off")
        await pipeline.level()


async def test_a_command_is_never_shown_by_half(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(*(product(f"P{n}") for n in range(60)))
        await pipeline.level()
        assert [body["stock"] for _, _, body in sandbox.writes] == [{"stock": 5}] * 60
