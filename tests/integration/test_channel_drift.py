"""A channel that no longer shows what it acknowledged is found out and put right."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from daybook.channel import drift as drifting
from daybook.channel.contract import Connector, Push, Throttled, Unavailable
from daybook.channel.drift import Difference, Drift, Progress, differences, drift
from daybook.channel.resync import Choice
from daybook.commands import ChangePrice, DelistProduct
from daybook.errors import Refused
from tests.fixtures.channels import ToyConnector, ToySandbox, toy
from tests.fixtures.pipeline import Line, product, until
from tests.integration.test_delivery import shop

Told = Callable[[Progress], None]


async def compare(
    line: Line,
    sandbox: ToySandbox,
    connector: Connector | None = None,
    told: Told = lambda progress: None,
    dry_run: bool = False,
    **choice: Any,
) -> Drift:
    connector = connector or ToyConnector(sandbox.settings())
    try:
        wanted = Choice(**choice)
        return await drift(line.app.pool, line.manifest, connector, wanted, dry_run=dry_run, told=told)
    finally:
        await connector.close()


def brief(found: Drift) -> list[tuple[str, str, str, Any, Any]]:
    return [(one.sku, one.facet, one.field, one.shown, one.said) for one in found.drifted]


def test_what_was_changed_by_hand_on_the_channel_is_told_noted_and_put_right(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"), product("B"))
            await line.level()
            sandbox.offers["A"]["price"] = {"price": 1}
            steps: list[Progress] = []
            found = await compare(line, sandbox, told=steps.append)
            assert brief(found) == [("A", "price", "price", 1, 1000)]
            assert (found.chosen, found.compared, found.skus, found.facets, found.left_out) == (2, 2, 1, 1, 0)
            assert steps[-1] == Progress(2, 2, 1)
            await until(lambda: sandbox.offers["A"]["price"] == {"price": 1000}, "the price is right again")
            await line.level()
            assert sandbox.writes[2:] == [("PATCH", "A", {"price": {"price": 1000}})], "and nothing else was sent"
            (note,) = [one for one in line.channels.attempts("toy", "A") if one.outcome == "drifted"]
            assert (note.facet, note.detail, note.method, note.status) == (
                "price", "price: shown 1, ours 1000", "GET", 200,
            )  # fmt: skip
            assert not (await compare(line, sandbox)).drifted

    asyncio.run(main())


def test_a_channel_that_shows_what_it_should_is_read_and_left_alone(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(*(product(f"S{number}") for number in range(6)))
            await line.level()
            found = await compare(line, sandbox)
            assert (found.compared, found.drifted, found.unknown) == (6, [], 0)
            assert sorted(sandbox.reads) == [f"S{number}" for number in range(6)] and len(sandbox.writes) == 6

    asyncio.run(main())


def test_a_dry_run_tells_and_changes_nothing(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            sandbox.offers["A"]["offer"] = {"name": "hacked", "label": ""}
            found = await compare(line, sandbox, dry_run=True)
            assert brief(found) == [("A", "offer", "name", "hacked", "thing A")]
            assert line.status().level and len(line.channels.attempts("toy", "A")) == 1

    asyncio.run(main())


@pytest.mark.parametrize("lane", ["sku", "group"])
def test_a_listing_that_was_deleted_on_the_channel_is_made_again_whole(database: str, nats_url: str, lane: Any) -> None:
    async def main() -> None:
        async with shop(database, nats_url, toy(lane)) as (line, sandbox):
            await line.say(product("M", kind="model"), product("V", parent="M", kind="variant"))
            await line.level()
            was = dict(sandbox.offers["V"])
            del sandbox.offers["V"]
            found = await compare(line, sandbox)
            assert {(one.sku, one.facet, one.field, one.shown) for one in found.drifted} == {
                ("V", facet, "", None) for facet in was
            }
            await until(lambda: sandbox.offers.get("V") == was, "V is there again")
            await line.level()
            assert sandbox.writes[-1][:2] == ("PUT", "V"), "in one request, that of its creation"

    asyncio.run(main())


def test_a_deleted_listing_that_is_unwanted_before_it_is_made_again_is_taken_off_to_be_sure(
    database: str, nats_url: str
) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            line.channels.pause("toy", True)
            del sandbox.offers["A"]
            await compare(line, sandbox)
            await line.say(DelistProduct(sku="A", channel="toy"))
            await line.caught_up()
            line.channels.pause("toy", False)
            await line.level()
            assert sandbox.writes[-1][:2] == ("DELETE", "A") and line.rows() == []

    asyncio.run(main())


def test_what_changed_while_it_was_read_is_no_drift(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()

            class Late(ToyConnector):
                async def read(self, push: Push) -> Any:
                    await line.say(ChangePrice(sku="A", amount="12", currency="EUR"))
                    await until(lambda: sandbox.offers["A"]["price"] == {"price": 1200}, "the channel has it")
                    await line.level()
                    return await super().read(push)

            found = await compare(line, sandbox, Late(sandbox.settings()))
            assert (found.compared, found.drifted, found.facets, found.left_out) == (1, [], 0, 1)
            assert len(sandbox.writes) == 2

    asyncio.run(main())


def test_what_is_under_way_or_refused_is_not_read(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"), product("BAD", "bad"), product("HELD", attributes=()))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            await line.level()
            line.channels.pause("toy", True)
            await line.say(ChangePrice(sku="A", amount="12", currency="EUR"))
            await line.caught_up()
            found = await compare(line, sandbox)
            assert (found.chosen, found.compared, found.left_out) == (2, 0, 2) and sandbox.reads == []

    asyncio.run(main())


def test_only_what_was_chosen_is_read(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"), product("B"), product("C"))
            await line.level()
            then = line.head()
            await line.say(ChangePrice(sku="C", amount="12", currency="EUR"))
            await line.level()
            await compare(line, sandbox, skus=("B",))
            await compare(line, sandbox, since=then)
            assert sandbox.reads == ["B", "C"]

    asyncio.run(main())


def test_no_more_are_read_at_once_than_the_channel_allows_and_a_throttle_is_waited_for(
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

    async def main() -> None:
        async with shop(database, nats_url, toy(in_flight_max=2)) as (line, sandbox):
            await line.say(*(product(f"S{number}") for number in range(8)))
            await line.level()
            sandbox.faults.throttle_next = 3
            found = await compare(line, sandbox, Counting(sandbox.settings()))
            assert (found.compared, found.stopped) == (8, None)
            assert Counting.most == 2

    asyncio.run(main())


def test_a_channel_that_stops_answering_is_told_with_how_far_it_came_and_what_was_found_is_put_right(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drifting, "TRIES_MAX", 2)
    monkeypatch.setattr(drifting, "PAGE_SKUS", 2)

    class Dying(ToyConnector):
        async def read(self, push: Push) -> Any:
            if push.sku > "S2":
                return Unavailable("the line is dead", 0.01)
            return await super().read(push)

    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(*(product(f"S{number}") for number in range(6)))
            await line.level()
            sandbox.offers["S1"]["stock"] = {"stock": 99}
            found = await compare(line, sandbox, Dying(sandbox.settings()))
            assert (found.compared, found.facets) == (3, 1)
            assert found.stopped == (
                "toy stopped answering: the line is dead. 3 of 6 SKUs were compared, 1 facets of them differ; "
                "the same command again begins anew"
            )
            await until(lambda: sandbox.offers["S1"]["stock"] == {"stock": 5}, "what was found is put right")

    asyncio.run(main())


@pytest.mark.parametrize("answer", [Throttled(86_400.0), Unavailable("closed", 86_400.0)])
def test_a_pause_of_hours_is_not_sat_out(database: str, nats_url: str, answer: Any) -> None:
    class Closed(ToyConnector):
        async def read(self, push: Push) -> Any:
            return answer

    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            found = await compare(line, sandbox, Closed(sandbox.settings()))
            assert found.compared == 0 and found.stopped is not None

    asyncio.run(main())


def test_what_the_channel_does_not_tell_of_is_named_with_its_reasons_and_no_drift(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"), product("B"))
            await line.level()
            sandbox.private.add("A")
            found = await compare(line, sandbox)
            assert [(one.sku, one.reasons[0].code) for one in found.unread] == [("A", "private")]
            assert not found.drifted and found.compared == 2

    asyncio.run(main())


def test_a_payload_of_which_only_the_hash_is_left_is_compared_by_the_listing_or_counted_as_unknown(
    database: str, nats_url: str
) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            sandbox.offers["A"]["price"] = {"price": 1}
            with psycopg.connect(database) as conn:
                conn.execute("DELETE FROM bodies")
            assert len((await compare(line, sandbox, dry_run=True)).drifted) == 1, "the listing has the same hash"
            with psycopg.connect(database) as conn:
                conn.execute("UPDATE deliveries SET acknowledged = '\\x00', desired = '\\x00' WHERE facet = 'price'")
            found = await compare(line, sandbox, dry_run=True)
            assert (found.drifted, found.unknown) == ([], 1)

    asyncio.run(main())


def test_a_connector_that_can_not_read_says_so(database: str, nats_url: str) -> None:
    class Blind:
        def __init__(self, settings: dict[str, str]) -> None: ...

        async def push(self, push: Push) -> Any: ...

        async def confirm(self, push: Push, submission: str) -> Any: ...

        async def close(self) -> None: ...

    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            with pytest.raises(Refused, match="no `read`"):
                await compare(line, sandbox, Blind({}))

    asyncio.run(main())


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
