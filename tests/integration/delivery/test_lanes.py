"""What the delivery does beyond sending: it shares what it finds out, refreshes, renews, gathers and stops."""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
import psycopg

from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Manifest,
    Outcome,
    Push,
    Rejected,
    StockRule,
    Stopped,
)
from daybook.channel.pacing import Pace, Rate
from daybook.commands import ChangePrice, CountStock
from daybook.delivery import care, journal, lane, process, worker
from daybook.delivery.breaker import Breaker
from daybook.events import Rejection
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.queries.channel_history import newest
from tests.fixtures.channels import ToyConnector, toy
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.toy_shop import shop


def changed(manifest: Manifest, **fields: Any) -> Manifest:
    return msgspec.structs.replace(manifest, **fields)


def column(pipeline: Pipeline, query: str) -> list[Any]:
    with psycopg.connect(pipeline.dsn) as conn:
        return [row[0] for row in conn.execute(query.encode())]


async def health(conn: AsyncConnection) -> Sequence[Any]:
    """What the workers wrote down of the channel."""
    ((_, *row),) = await (await conn.execute(process.QUERIES["breakers"], {"channels": ["toy"]})).fetchall()
    return row


async def test_what_one_worker_finds_out_about_an_outage_holds_for_all_and_for_a_new_one(
    database: str, nats_url: str
) -> None:
    async with await connect_async(database, "test") as conn:
        one, other = Breaker(), Breaker()
        for _ in range(8):
            one.failed(30.0, "no route to the host")
        await one.tell(conn, "toy")
        other.learn(await health(conn))
        assert (other.open, other.lanes_allowed(9), other.reason) == (True, 0, "no route to the host")
        assert other.wait_seconds() > 20
        one.succeeded()
        await one.tell(conn, "toy")
        assert other.learn(await health(conn)), "it hears that the channel is back"
        assert (other.open, other.lanes_allowed(9)) == (False, 9)


async def test_a_channel_that_wants_no_more_calls_is_paused_with_its_reason_until_a_person_resumes_it(
    database: str, nats_url: str
) -> None:
    class Gone(ToyConnector):
        gone = True

        async def push(self, push: Push) -> Outcome:
            return Stopped("HTTP 410: this endpoint is gone") if Gone.gone else await super().push(push)

    async with shop(database, nats_url, changed(toy(), connector=Gone)) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"), product("B"))
        await until(lambda: column(pipeline, "SELECT paused FROM projections") == [True], "the channel is paused")
        await until(lambda: not pipeline.status().in_flight, "both lanes are recorded")
        assert column(pipeline, "SELECT paused_because FROM projections") == ["HTTP 410: this endpoint is gone"]
        told = newest(pipeline.app.reader, pipeline.app.registry, "toy", 1)
        assert [(one.sentence, one.actor, one.reason) for one in told] == [
            ("toy paused", "channel:toy", "HTTP 410: this endpoint is gone")
        ]
        Gone.gone = False
        pipeline.channels.pause("toy", False)
        await pipeline.level()
        assert sandbox.shown().keys() == {"A", "B"}
        assert column(pipeline, "SELECT paused_because FROM projections") == [None]


async def test_a_submission_that_hangs_is_brought_anew(database: str, nats_url: str) -> None:
    manifest = changed(toy(), submission_seconds_max=0.3)
    async with shop(database, nats_url, manifest) as (pipeline, sandbox):
        sandbox.asynchronous = sandbox.pending = True
        await pipeline.carry_out(product("A"))
        await until(lambda: sandbox.count("A") == 2, "the watchdog gave the submission up")
        sandbox.asynchronous = False
        await pipeline.level()
        assert sandbox.shown()["A"]["price"] == 1000


async def test_a_submission_that_may_be_overtaken_is_brought_anew_when_two_workers_sent(
    database: str, nats_url: str, monkeypatch: Any
) -> None:
    class TellsNoEnd(ToyConnector):
        looks = 0

        async def confirm(self, push: Push, submission: str) -> Outcome:
            TellsNoEnd.looks += 1
            outcome = await super().confirm(push, submission)
            return msgspec.structs.replace(outcome, overtakable=True) if isinstance(outcome, Accepted) else outcome

    monkeypatch.setattr(lane, "OVERTAKEN_SECONDS", 0.1)
    async with shop(database, nats_url, changed(toy(), connector=TellsNoEnd)) as (pipeline, sandbox):
        sandbox.asynchronous = sandbox.pending = True
        await pipeline.carry_out(product("A"))
        await until(lambda: TellsNoEnd.looks >= 5, "it was looked for")
        assert sandbox.count("A") == 1, "one worker alone waits until the watchdog"

        with psycopg.connect(database) as conn:
            conn.execute("INSERT INTO doubts (channel, lane, owner) VALUES ('toy', 'A', 'another')")
        await until(lambda: sandbox.count("A") == 2, "it may have been overtaken: the newest state is brought")
        sandbox.asynchronous = False
        await until(lambda: column(pipeline, "SELECT lane FROM doubts") == [], "the doubt ends")
        await pipeline.level()


async def test_what_was_confirmed_long_ago_is_brought_again(database: str, nats_url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(care, "REFRESH_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(process, "LEASE_SECONDS", 0.6)

    async with shop(database, nats_url, changed(toy(), refresh_seconds=0.5)) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await until(lambda: sandbox.count("A") >= 4, "each facet of A was brought again")
        assert sandbox.shown()["A"] == {"name": "thing A", "label": "", "price": 1000, "stock": 5}


async def test_when_a_root_gets_another_id_its_variants_are_brought_anew(database: str, nats_url: str) -> None:
    class Renumbering(ToyConnector):
        ids = "first"

        async def push(self, push: Push) -> Outcome:
            outcome = await super().push(push)
            if isinstance(outcome, Confirmed):
                outcome = msgspec.structs.replace(outcome, remote_id=f"{Renumbering.ids}-{push.sku}")
            return outcome

    manifest = changed(toy(), connector=Renumbering, variants_hang_on_root=True)
    async with shop(database, nats_url, manifest) as (pipeline, sandbox):
        await pipeline.carry_out(product("M", kind="model"), product("V", parent="M", kind="variant"))
        await pipeline.level()
        assert column(pipeline, "SELECT remote_id FROM remote_ids ORDER BY 1") == ["first-M", "first-V"]
        before = len(sandbox.writes)
        Renumbering.ids = "second"
        await pipeline.carry_out(ChangePrice(sku="M", amount="11", currency="EUR"))
        await until(lambda: len(sandbox.writes) > before + 1, "V is brought again, though only M was changed")
        await pipeline.level()
        assert [(method, sku) for method, sku, _ in sandbox.writes[before:]] == [("PATCH", "M"), ("PUT", "V")]
        assert column(pipeline, "SELECT remote_id FROM remote_ids ORDER BY 1") == ["second-M", "second-V"]


async def test_what_sold_out_overtakes_what_waits(database: str, nats_url: str) -> None:
    manifest = changed(toy(in_flight_max=1), stock=StockRule("stock", "price", lambda payload: int(payload["stock"])))
    names = [f"P{number:02}" for number in range(40)]
    async with shop(database, nats_url, manifest) as (pipeline, sandbox):
        await pipeline.carry_out(*(product(name) for name in names))
        await pipeline.level()
        pipeline.channels.pause("toy", True)
        await pipeline.carry_out(*(ChangePrice(sku=name, amount="9", currency="EUR") for name in names[:39]))
        await pipeline.carry_out(CountStock(sku=names[39], quantity=0))
        await pipeline.caught_up()
        before = len(sandbox.writes)
        pipeline.channels.pause("toy", False)
        await pipeline.level()
        assert sandbox.writes[before][1] == names[39]


class Batching(ToyConnector):
    """Brings first listings by the hundred. A name that holds `bad` fails alone; `lost`: the answer never comes."""

    requests: ClassVar[list[list[str]]] = []
    lost = 0

    def gathers(self, push: Push) -> str | None:
        return "offers" if push.facet == "offer" and push.payload is not None and push.attempt == 1 else None

    async def push_all(self, pushes: Sequence[Push]) -> Sequence[Outcome]:
        Batching.requests.append(sorted(push.sku for push in pushes))
        if Batching.lost > 0:
            Batching.lost -= 1
            return [ChannelUnavailable("no answer")] * len(pushes)
        return [
            Rejected((Rejection("bad", "this name is bad"),))
            if "bad" in push.listing["offer"]["name"]
            else await self.push(push)
            for push in pushes
        ]


async def test_many_that_wait_go_in_one_request_and_fail_one_by_one(database: str, nats_url: str) -> None:
    Batching.requests = []
    manifest = changed(toy(), connector=Batching, gather_max=20)
    async with shop(database, nats_url, manifest) as (pipeline, sandbox):
        await pipeline.carry_out(product("warm"))
        await pipeline.level()
        pipeline.channels.pause("toy", True)
        names = [f"P{number:02}" for number in range(30)]
        await pipeline.carry_out(*(product(name) for name in names), product("X", "a bad name"))
        await pipeline.caught_up()
        pipeline.channels.pause("toy", False)
        await pipeline.level()
        assert set(sandbox.shown()) == {"warm", *names}
        assert [sku for sku, *_ in pipeline.channels.rejected("toy")] == ["X"]
        assert [len(one) for one in Batching.requests] == [20, 11]
        assert {sandbox.count(name) for name in names} == {1}


async def test_when_the_answer_to_a_request_of_many_is_lost_each_is_looked_up_alone(
    database: str, nats_url: str
) -> None:
    Batching.requests, Batching.lost = [], 0
    manifest = changed(toy(), connector=Batching, gather_max=20)
    async with shop(database, nats_url, manifest) as (pipeline, sandbox):
        await pipeline.carry_out(product("warm"))
        await pipeline.level()
        pipeline.channels.pause("toy", True)
        names = [f"P{number:02}" for number in range(10)]
        await pipeline.carry_out(*(product(name) for name in names))
        await pipeline.caught_up()
        Batching.lost = 1
        pipeline.channels.pause("toy", False)
        await pipeline.level()
        assert set(sandbox.shown()) == {"warm", *names} and Batching.requests == [names]


async def test_workers_of_a_channel_share_its_rates(database: str, nats_url: str) -> None:
    class Paced(ToyConnector):
        paces: ClassVar[list[Pace]] = []

        def __init__(self, settings: Any) -> None:
            super().__init__(settings)
            self.pace = Pace({"put": Rate(10.0)})
            Paced.paces.append(self.pace)

    manifest = changed(toy(), connector=Paced)
    async with shop(database, nats_url, manifest, workers=2) as (pipeline, _):
        await until(lambda: [one.workers for one in Paced.paces] == [2, 2], "each knows of the other")
        assert column(pipeline, "SELECT count(*) FROM delivery_workers") == [2]
    assert column(pipeline, "SELECT count(*) FROM delivery_workers") == [0], "they say good-bye"


async def test_news_that_come_while_a_worker_finds_nothing_to_send_wake_the_lane(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        async with await connect_async(database, "test") as conn:
            claim = {"channel": "toy", "limit": 1, "owner": "me", "lease": 60.0, "hand": []}
            async with conn.transaction():  # its own worker passes a locked lane by
                await conn.execute("UPDATE lanes SET next_try = clock_timestamp()")
                claimed = await (await conn.execute(worker.QUERIES["claim"], claim)).fetchall()
            assert [lane for lane, _, _ in claimed] == ["A"], "this worker has the lane, and saw nothing to do"
            await pipeline.carry_out(ChangePrice(sku="A", amount="12.50", currency="EUR"))
            await pipeline.caught_up()
            hour = (["A"], [0], [3600.0], [None], "toy", "me")
            await conn.execute(journal.QUERIES["release_lanes"], hour)
        await pipeline.level()
        assert sandbox.shown()["A"]["price"] == 1250


async def test_what_is_to_be_sent_again_is_sent_also_when_the_book_changes_and_changes_back(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        pipeline.channels.pause("toy", True)
        with psycopg.connect(database) as conn:
            conn.execute("UPDATE deliveries SET state = 'due', again = true WHERE facet = 'price'")
        await pipeline.carry_out(ChangePrice(sku="A", amount="12.50", currency="EUR"))
        await pipeline.carry_out(ChangePrice(sku="A", amount="10.00", currency="EUR"))
        await pipeline.caught_up()
        before = len(sandbox.writes)
        pipeline.channels.pause("toy", False)
        await pipeline.level()
        assert sandbox.writes[before:] == [("PATCH", "A", {"price": {"price": 1000}})]
