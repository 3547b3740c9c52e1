"""Sending again what was acknowledged, and offering again what was refused."""

import asyncio
from typing import Any

import msgspec
import psycopg
import pytest

from daybook.channel.rejections import Filter, by_code, offer_again, rejections
from daybook.channel.resync import Choice, Resynced, resync
from daybook.commands import ChangePrice, CountStock, DefineAttribute, SetAttributes
from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import AttributeChange, AttributeDefined
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Line, product, until
from tests.integration.test_delivery import rename, shop


async def again(line: Line, dry_run: bool = False, **choice: Any) -> Resynced:
    wanted = Choice(**choice)
    return await asyncio.to_thread(resync, line.app.pool, line.manifest, wanted, dry_run=dry_run)


def reads_only(line: Line) -> Any:
    return msgspec.structs.replace(line.manifest, connector=None)


def test_a_chosen_sku_is_sent_again_though_it_was_acknowledged_and_nothing_else_is(
    database: str, nats_url: str
) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"), product("B"))
            await line.level()
            before = len(sandbox.writes)
            would = await again(line, dry_run=True, skus=("A",))
            assert (would.skus, would.facets, would.dry_run) == (1, 3, True)
            assert line.status().level, "a dry run marks nothing"
            assert await again(line, skus=("A",)) == Resynced(channel="toy", skus=1, facets=3, dry_run=False)
            await until(lambda: sandbox.count("A") > 1, "A is sent again")
            await line.level()
            assert {sku for _, sku, _ in sandbox.writes[before:]} == {"A"}

    asyncio.run(main())


def test_what_changed_since_a_position_is_sent_again_facet_by_facet(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"), product("B"))
            await line.level()
            then = line.head()
            await line.say(ChangePrice(sku="B", amount="12", currency="EUR"))
            await line.level()
            before = len(sandbox.writes)
            assert (await again(line, since=then)).facets == 1
            await until(lambda: len(sandbox.writes) > before, "it is sent again")
            await line.level()
            assert sandbox.writes[before:] == [("PATCH", "B", {"price": {"price": 1200}})]

    asyncio.run(main())


def test_a_locale_means_the_groups_whose_texts_changed_in_it_and_a_language_all_of_its_locales(
    database: str, nats_url: str
) -> None:
    def text(sku: str, locale: str) -> SetAttributes:
        return SetAttributes(sku=sku, changes=(AttributeChange(attribute="story", value="x", locale=locale),))

    async def main() -> None:
        async with shop(database, nats_url) as (line, _):
            await line.say(DefineAttribute(attribute=AttributeDefined(code="story", type="text", localizable=True)))
            await line.say(product("A"), product("B"), product("C"), product("D"))
            await line.say(text("A", "nl-NL"), text("B", "de-DE"), text("C", "nl-BE"))
            await line.level()
            found = {
                locale: (await again(line, dry_run=True, locale=locale)).skus for locale in ("nl", "nl_BE", "de", "fr")
            }
            assert found == {"nl": 2, "nl_BE": 1, "de": 1, "fr": 0}
            assert (await again(line, dry_run=True, locale="nl", skus=("B", "C"))).skus == 1
            then = line.head()
            assert (await again(line, dry_run=True, locale="nl", since=then)).skus == 0

    asyncio.run(main())


def test_the_whole_channel_is_sent_again_lanes_by_lanes(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daybook.channel.resync.LANES_AT_ONCE", 2)

    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(*(product(f"S{number}") for number in range(5)), product("OFF", channels={}))
            await line.level()
            before = {sku: sandbox.count(sku) for sku in sandbox.shown()}
            assert (await again(line)).skus == 5
            await until(lambda: all(sandbox.count(sku) > n for sku, n in before.items()), "all are sent again")
            await line.level()

    asyncio.run(main())


def test_what_is_under_way_or_refused_is_not_marked_again(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("BAD", "bad"))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            assert await again(line) == Resynced(channel="toy", skus=0, facets=0, dry_run=False)
            assert sandbox.count("BAD") == 1

    asyncio.run(main())


def test_a_wrong_name_is_told_instead_of_nothing_being_done(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, _):
            await line.say(product("A"))
            await line.level()
            with pytest.raises(NotFound, match="shows nothing of X"):
                await again(line, skus=("A", "X"))
            with pytest.raises(InvalidValue, match="no known locale"):
                await again(line, locale="klingon")
            with pytest.raises(Refused, match="read model"):
                resync(line.app.pool, reads_only(line), Choice())
            with pytest.raises(Refused, match="read model"):
                offer_again(line.app.pool, reads_only(line))
            with pytest.raises(NotFound, match="shows nothing of X"):
                offer_again(line.app.pool, line.manifest, skus=["X"])

    asyncio.run(main())


def test_refusals_are_found_by_code_sku_facet_and_time_and_counted(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, _):
            await line.say(product("A"), product("BAD1", "bad"), product("BAD2", "bad"))
            await until(lambda: len(line.channels.rejected("toy")) == 2, "both rejections are known")
            await line.level()
            then = line.head()
            await line.say(rename("A", "now bad too"))
            await until(lambda: len(line.channels.rejected("toy")) == 3, "the third is known")

            def found(**wanted: Any) -> list[str]:
                return [one.sku for one in rejections(line.app.pool, Filter(**wanted))]

            assert found() == found(channel="toy", code="name_refused", facet="offer") == ["A", "BAD1", "BAD2"]
            assert found(skus=("BAD2", "A")) == ["A", "BAD2"]
            assert found(since=then) == ["A"]
            assert found(code="other") == found(facet="price") == found(channel="bol") == []
            every = rejections(line.app.pool, Filter())
            assert [one.shown for one in every] == [True, False, False], "A's former name is still there"
            (count,) = by_code(every)
            assert (count.code, count.count, count.message) == ("name_refused", 3, "this name is bad")
            first = rejections(line.app.pool, Filter(), limit=1)[0]
            rest = rejections(line.app.pool, Filter(), after=(first.channel, first.sku, first.facet))
            assert [one.sku for one in rest] == ["BAD1", "BAD2"]

    asyncio.run(main())


def test_what_was_refused_is_offered_again_at_once_also_out_of_a_long_wait(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url, toy()) as (line, sandbox):
            await line.say(product("BAD1", "bad"), product("BAD2", "bad"))
            # More stock for a listing that was refused: its lane is blocked for an hour.
            await until(lambda: len(line.channels.rejected("toy")) == 2, "the rejections are known")
            await line.say(CountStock(sku="BAD1", quantity=9))
            await until(lambda: sandbox.count("BAD1") == 2, "a change is a reason to offer it again")
            await until(lambda: len(line.channels.rejected("toy")) == 2, "it is refused again")
            await until(lambda: not line.status().in_flight, "the lanes are free")
            none = offer_again(line.app.pool, line.manifest, code="other")
            assert (none.skus, none.facets) == (0, 0)
            some = offer_again(line.app.pool, line.manifest, skus=["BAD1"], code="name_refused")
            assert (some.skus, some.facets) == (1, 1)
            await until(lambda: sandbox.count("BAD1") == 3, "it is offered again")
            await until(lambda: len(line.channels.rejected("toy")) == 2, "and refused again")
            assert sandbox.count("BAD2") == 1
            await until(lambda: not line.status().in_flight, "the lanes are free")
            assert offer_again(line.app.pool, line.manifest).skus == 2
            await until(lambda: sandbox.count("BAD2") == 2, "all are offered again")

    asyncio.run(main())


def test_a_shop_that_takes_what_it_refused_shows_it_after_a_retry(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A", "bad"))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            monkeypatch.setattr("tests.fixtures.channels._problem", lambda body: None)
            offer_again(line.app.pool, line.manifest)
            await until(lambda: "A" in sandbox.shown(), "it is shown")
            await line.level()
            assert sandbox.shown()["A"] == {"name": "bad", "label": "", "price": 1000, "stock": 5}
            with psycopg.connect(database) as conn:
                assert conn.execute("SELECT count(*) FROM deliveries WHERE reasons IS NOT NULL").fetchone() == (0,)

    asyncio.run(main())
