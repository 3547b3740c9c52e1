"""A channel that no longer shows what it acknowledged is found out and put right."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from daybook.channel.contract import ChannelUnavailable, Connector, Push, Throttled
from daybook.commands import ChangePrice, DelistProduct
from daybook.delivery import drift as drifting
from daybook.delivery.drift import Difference, Drift, DriftProgress, differences, drift
from daybook.delivery.resync import Choice
from daybook.errors import Refused
from tests.fixtures.channels import ToyConnector, ToySandbox, toy
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.toy_shop import shop

Told = Callable[[DriftProgress], None]


async def compare(
    pipeline: Pipeline,
    sandbox: ToySandbox,
    connector: Connector | None = None,
    told: Told = lambda progress: None,
    dry_run: bool = False,
    **choice: Any,
) -> Drift:
    connector = connector or ToyConnector(sandbox.settings())
    try:
        wanted = Choice(**choice)
        return await drift(pipeline.app.pool, pipeline.manifest, connector, wanted, dry_run=dry_run, on_progress=told)
    finally:
        await connector.close()


def brief(found: Drift) -> list[tuple[str, str, str, Any, Any]]:
    return [(one.sku, one.facet, one.field, one.shown, one.said) for one in found.drifted]


async def test_what_was_changed_by_hand_on_the_channel_is_told_noted_and_put_right(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"), product("B"))
        await pipeline.level()
        sandbox.offers["A"]["price"] = {"price": 1}
        steps: list[DriftProgress] = []
        found = await compare(pipeline, sandbox, told=steps.append)
        assert brief(found) == [("A", "price", "price", 1, 1000)]
        assert (found.chosen, found.compared, found.skus, found.facets, found.left_out) == (2, 2, 1, 1, 0)
        assert steps[-1] == DriftProgress(2, 2, 1)
        await until(lambda: sandbox.offers["A"]["price"] == {"price": 1000}, "the price is right again")
        await pipeline.level()
        assert sandbox.writes[2:] == [("PATCH", "A", {"price": {"price": 1000}})], "and nothing else was sent"
        (note,) = [one for one in pipeline.channels.attempts("toy", "A") if one.outcome == "drifted"]
        assert (note.facet, note.detail, note.method, note.status) == (
            "price", "price: shown 1, ours 1000", "GET", 200,
        )  # fmt: skip
        assert not (await compare(pipeline, sandbox)).drifted


async def test_a_channel_that_shows_what_it_should_is_read_and_left_alone(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(*(product(f"S{number}") for number in range(6)))
        await pipeline.level()
        found = await compare(pipeline, sandbox)
        assert (found.compared, found.drifted, found.unknown) == (6, [], 0)
        assert sorted(sandbox.reads) == [f"S{number}" for number in range(6)] and len(sandbox.writes) == 6


async def test_a_dry_run_tells_and_changes_nothing(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        sandbox.offers["A"]["offer"] = {"name": "hacked", "label": ""}
        found = await compare(pipeline, sandbox, dry_run=True)
        assert brief(found) == [("A", "offer", "name", "hacked", "thing A")]
        assert pipeline.status().level and len(pipeline.channels.attempts("toy", "A")) == 1


@pytest.mark.parametrize("lane", ["sku", "group"])
async def test_a_listing_that_was_deleted_on_the_channel_is_made_again_whole(
    database: str, nats_url: str, lane: Any
) -> None:
    async with shop(database, nats_url, toy(lane)) as (pipeline, sandbox):
        await pipeline.carry_out(product("M", kind="model"), product("V", parent="M", kind="variant"))
        await pipeline.level()
        was = dict(sandbox.offers["V"])
        del sandbox.offers["V"]
        found = await compare(pipeline, sandbox)
        assert {(one.sku, one.facet, one.field, one.shown) for one in found.drifted} == {
            ("V", facet, "", None) for facet in was
        }
        await until(lambda: sandbox.offers.get("V") == was, "V is there again")
        await pipeline.level()
        assert sandbox.writes[-1][:2] == ("PUT", "V"), "in one request, that of its creation"


async def test_a_deleted_listing_that_is_unwanted_before_it_is_made_again_is_taken_off_to_be_sure(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        pipeline.channels.pause("toy", True)
        del sandbox.offers["A"]
        await compare(pipeline, sandbox)
        await pipeline.carry_out(DelistProduct(sku="A", channel="toy"))
        await pipeline.caught_up()
        pipeline.channels.pause("toy", False)
        await pipeline.level()
        assert sandbox.writes[-1][:2] == ("DELETE", "A") and pipeline.rows() == []


def test_what_changed_while_it_was_read_is_no_drift(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (pipeline, sandbox):
            await pipeline.carry_out(product("A"))
            await pipeline.level()

            class Late(ToyConnector):
                async def read(self, push: Push) -> Any:
                    await pipeline.carry_out(ChangePrice(sku="A", amount="12", currency="EUR"))
                    await until(lambda: sandbox.offers["A"]["price"] == {"price": 1200}, "the channel has it")
                    await pipeline.level()
                    return await super().read(push)

            found = await compare(pipeline, sandbox, Late(sandbox.settings()))
            assert (found.compared, found.drifted, found.facets, found.left_out) == (1, [], 0, 1)
            assert len(sandbox.writes) == 2

    asyncio.run(main())


async def test_what_is_under_way_or_refused_is_not_read(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"), product("BAD", "bad"), product("HELD", attributes=()))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        await pipeline.level()
        pipeline.channels.pause("toy", True)
        await pipeline.carry_out(ChangePrice(sku="A", amount="12", currency="EUR"))
        await pipeline.caught_up()
        found = await compare(pipeline, sandbox)
        assert (found.chosen, found.compared, found.left_out) == (2, 0, 2) and sandbox.reads == []


async def test_only_what_was_chosen_is_read(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"), product("B"), product("C"))
        await pipeline.level()
        then = pipeline.head()
        await pipeline.carry_out(ChangePrice(sku="C", amount="12", currency="EUR"))
        await pipeline.level()
        await compare(pipeline, sandbox, skus=("B",))
        await compare(pipeline, sandbox, since=then)
        assert sandbox.reads == ["B", "C"]


async def test_no_more_are_read_at_once_than_the_channel_allows_and_a_throttle_is_waited_for(
    database: str, nats_url: str
) -> None:
    class Counting(ToyConnector):
        now = most = 0

        async def read(self, push: Push) -> Any:
            Counting.now += 1
            Counting.most = max(Counting.most, Counting.now)
            try:
                return await super().read(push)
            finally:
                Counting.now -= 1

    async with shop(database, nats_url, toy(in_flight_max=2)) as (pipeline, sandbox):
        await pipeline.carry_out(*(product(f"S{number}") for number in range(8)))
        await pipeline.level()
        sandbox.faults.throttle_next = 3
        found = await compare(pipeline, sandbox, Counting(sandbox.settings()))
        assert (found.compared, found.stopped) == (8, None)
        assert Counting.most == 2


async def test_a_channel_that_stops_answering_is_told_with_how_far_it_came_and_what_was_found_is_put_right(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drifting, "TRIES_MAX", 2)
    monkeypatch.setattr(drifting, "PAGE_SKUS", 2)

    class Dying(ToyConnector):
        async def read(self, push: Push) -> Any:
            if push.sku > "S2":
                return ChannelUnavailable("the line is dead", 0.01)
            return await super().read(push)

    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(*(product(f"S{number}") for number in range(6)))
        await pipeline.level()
        sandbox.offers["S1"]["stock"] = {"stock": 99}
        found = await compare(pipeline, sandbox, Dying(sandbox.settings()))
        assert (found.compared, found.facets) == (3, 1)
        assert found.stopped == (
            "toy stopped answering: the line is dead. 3 of 6 SKUs were compared, 1 facets of them differ; "
            "the same command again begins anew"
        )
        await until(lambda: sandbox.offers["S1"]["stock"] == {"stock": 5}, "what was found is put right")


@pytest.mark.parametrize("answer", [Throttled(86_400.0), ChannelUnavailable("closed", 86_400.0)])
async def test_a_pause_of_hours_is_not_sat_out(database: str, nats_url: str, answer: Any) -> None:
    class Closed(ToyConnector):
        async def read(self, push: Push) -> Any:
            return answer

    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        found = await compare(pipeline, sandbox, Closed(sandbox.settings()))
        assert found.compared == 0 and found.stopped is not None


async def test_what_the_channel_does_not_tell_of_is_named_with_its_reasons_and_no_drift(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"), product("B"))
        await pipeline.level()
        sandbox.private.add("A")
        found = await compare(pipeline, sandbox)
        assert [(one.sku, one.reasons[0].code) for one in found.unread] == [("A", "private")]
        assert not found.drifted and found.compared == 2


async def test_a_payload_of_which_only_the_hash_is_left_is_compared_by_the_listing_or_counted_as_unknown(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        sandbox.offers["A"]["price"] = {"price": 1}
        with psycopg.connect(database) as conn:
            conn.execute("DELETE FROM bodies")
        assert len((await compare(pipeline, sandbox, dry_run=True)).drifted) == 1, "the listing has the same hash"
        with psycopg.connect(database) as conn:
            conn.execute("UPDATE deliveries SET acknowledged = '\\x00', desired = '\\x00' WHERE facet = 'price'")
        found = await compare(pipeline, sandbox, dry_run=True)
        assert (found.drifted, found.unknown) == ([], 1)


async def test_a_connector_that_can_not_read_says_so(database: str, nats_url: str) -> None:
    class Blind:
        def __init__(self, settings: dict[str, str]) -> None: ...

        async def push(self, push: Push) -> Any: ...

        async def confirm(self, push: Push, submission: str) -> Any: ...

        async def close(self) -> None: ...

    async with shop(database, nats_url) as (pipeline, sandbox):
        with pytest.raises(Refused, match="no `read`"):
            await compare(pipeline, sandbox, Blind({}))


def test_fields_are_named_by_their_path_and_lists_are_compared_whole() -> None:
    said = {"title": "a", "price": {"amount": 1, "currency": "EUR"}, "tags": [1, 2], "gone": None}
    shown = {"title": "a", "price": {"amount": 2, "currency": "EUR"}, "tags": (1, 3), "more": 5}

    found = list(differences("S", "offer", said, shown))

    def field(name: str, there: Any, ours: Any) -> Difference:
        return Difference(sku="S", facet="offer", field=name, shown=there, said=ours)

    assert found == [
        field("gone", None, None),
        field("more", 5, None),
        field("price.amount", 2, 1),
        field("tags", [1, 3], [1, 2]),
    ]
    assert list(differences("S", "offer", {"a": 1, "b": [2]}, {"b": (2,), "a": 1.0})) == []
    assert list(differences("S", "offer", said, None)) == [field("", None, said)]
