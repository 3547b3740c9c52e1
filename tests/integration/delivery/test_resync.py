"""Sending again what was acknowledged, and offering again what was refused."""

import asyncio
from typing import Any

import msgspec
import psycopg
import pytest

from daybook.commands import ChangePrice, CountStock, DefineAttribute, SetAttributes
from daybook.delivery.rejected import Filter, by_code, offer_again, rejections
from daybook.delivery.resync import Choice, Resynced, resync
from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import AttributeChange, AttributeDefined
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.toy_shop import rename, shop


async def again(pipeline: Pipeline, dry_run: bool = False, **choice: Any) -> Resynced:
    wanted = Choice(**choice)
    return await asyncio.to_thread(resync, pipeline.app.pool, pipeline.manifest, wanted, dry_run=dry_run)


def reads_only(pipeline: Pipeline) -> Any:
    return msgspec.structs.replace(pipeline.manifest, connector=None)


async def test_a_chosen_sku_is_sent_again_though_it_was_acknowledged_and_nothing_else_is(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"), product("B"))
        await pipeline.level()
        before = len(sandbox.writes)
        would = await again(pipeline, dry_run=True, skus=("A",))
        assert (would.skus, would.facets, would.dry_run) == (1, 3, True)
        assert pipeline.status().level, "a dry run marks nothing"
        assert await again(pipeline, skus=("A",)) == Resynced(channel="toy", skus=1, facets=3, dry_run=False)
        await until(lambda: sandbox.count("A") > 1, "A is sent again")
        await pipeline.level()
        assert {sku for _, sku, _ in sandbox.writes[before:]} == {"A"}


async def test_what_changed_since_a_position_is_sent_again_facet_by_facet(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"), product("B"))
        await pipeline.level()
        then = pipeline.head()
        await pipeline.carry_out(ChangePrice(sku="B", amount="12", currency="EUR"))
        await pipeline.level()
        before = len(sandbox.writes)
        assert (await again(pipeline, since=then)).facets == 1
        await until(lambda: len(sandbox.writes) > before, "it is sent again")
        await pipeline.level()
        assert sandbox.writes[before:] == [("PATCH", "B", {"price": {"price": 1200}})]


async def test_a_locale_means_the_groups_whose_texts_changed_in_it_and_a_language_all_of_its_locales(
    database: str, nats_url: str
) -> None:
    def text(sku: str, locale: str) -> SetAttributes:
        return SetAttributes(sku=sku, changes=(AttributeChange(attribute="story", value="x", locale=locale),))

    async with shop(database, nats_url) as (pipeline, _):
        await pipeline.carry_out(
            DefineAttribute(attribute=AttributeDefined(code="story", type="text", localizable=True))
        )
        await pipeline.carry_out(product("A"), product("B"), product("C"), product("D"))
        await pipeline.carry_out(text("A", "nl-NL"), text("B", "de-DE"), text("C", "nl-BE"))
        await pipeline.level()
        found = {
            locale: (await again(pipeline, dry_run=True, locale=locale)).skus for locale in ("nl", "nl_BE", "de", "fr")
        }
        assert found == {"nl": 2, "nl_BE": 1, "de": 1, "fr": 0}
        assert (await again(pipeline, dry_run=True, locale="nl", skus=("B", "C"))).skus == 1
        then = pipeline.head()
        assert (await again(pipeline, dry_run=True, locale="nl", since=then)).skus == 0


async def test_the_whole_channel_is_sent_again_lanes_by_lanes(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daybook.delivery.resync.LANES_AT_ONCE", 2)

    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(*(product(f"S{number}") for number in range(5)), product("OFF", channels={}))
        await pipeline.level()
        before = {sku: sandbox.count(sku) for sku in sandbox.shown()}
        assert (await again(pipeline)).skus == 5
        await until(lambda: all(sandbox.count(sku) > n for sku, n in before.items()), "all are sent again")
        await pipeline.level()


async def test_what_is_under_way_or_refused_is_not_marked_again(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("BAD", "bad"))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        assert await again(pipeline) == Resynced(channel="toy", skus=0, facets=0, dry_run=False)
        assert sandbox.count("BAD") == 1


async def test_a_wrong_name_is_told_instead_of_nothing_being_done(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, _):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        with pytest.raises(NotFound, match="shows nothing of X"):
            await again(pipeline, skus=("A", "X"))
        with pytest.raises(InvalidValue, match="no known locale"):
            await again(pipeline, locale="klingon")
        with pytest.raises(Refused, match="read model"):
            resync(pipeline.app.pool, reads_only(pipeline), Choice())
        with pytest.raises(Refused, match="read model"):
            offer_again(pipeline.app.pool, reads_only(pipeline))
        with pytest.raises(NotFound, match="shows nothing of X"):
            offer_again(pipeline.app.pool, pipeline.manifest, skus=["X"])


def test_refusals_are_found_by_code_sku_facet_and_time_and_counted(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (pipeline, _):
            await pipeline.carry_out(product("A"), product("BAD1", "bad"), product("BAD2", "bad"))
            await until(lambda: len(pipeline.channels.rejected("toy")) == 2, "both rejections are known")
            await pipeline.level()
            then = pipeline.head()
            await pipeline.carry_out(rename("A", "now bad too"))
            await until(lambda: len(pipeline.channels.rejected("toy")) == 3, "the third is known")

            def found(**wanted: Any) -> list[str]:
                return [one.sku for one in rejections(pipeline.app.pool, Filter(**wanted))]

            assert found() == found(channel="toy", code="name_refused", facet="offer") == ["A", "BAD1", "BAD2"]
            assert found(skus=("BAD2", "A")) == ["A", "BAD2"]
            assert found(since=then) == ["A"]
            assert found(code="other") == found(facet="price") == found(channel="bol") == []
            every = rejections(pipeline.app.pool, Filter())
            assert [one.shown for one in every] == [True, False, False], "A's former name is still there"
            (count,) = by_code(every)
            assert (count.code, count.count, count.message) == ("name_refused", 3, "this name is bad")
            first = rejections(pipeline.app.pool, Filter(), limit=1)[0]
            rest = rejections(pipeline.app.pool, Filter(), after=(first.channel, first.sku, first.facet))
            assert [one.sku for one in rest] == ["BAD1", "BAD2"]

    asyncio.run(main())


async def test_what_was_refused_is_offered_again_at_once_also_out_of_a_long_wait(database: str, nats_url: str) -> None:
    async with shop(database, nats_url, toy()) as (pipeline, sandbox):
        await pipeline.carry_out(product("BAD1", "bad"), product("BAD2", "bad"))
        # More stock for a listing that was refused: its lane is blocked for an hour.
        await until(lambda: len(pipeline.channels.rejected("toy")) == 2, "the rejections are known")
        await pipeline.carry_out(CountStock(sku="BAD1", quantity=9))
        await until(lambda: sandbox.count("BAD1") == 2, "a change is a reason to offer it again")
        await until(lambda: len(pipeline.channels.rejected("toy")) == 2, "it is refused again")
        await until(lambda: not pipeline.status().in_flight, "the lanes are free")
        none = offer_again(pipeline.app.pool, pipeline.manifest, code="other")
        assert (none.skus, none.facets) == (0, 0)
        some = offer_again(pipeline.app.pool, pipeline.manifest, skus=["BAD1"], code="name_refused")
        assert (some.skus, some.facets) == (1, 1)
        await until(lambda: sandbox.count("BAD1") == 3, "it is offered again")
        await until(lambda: len(pipeline.channels.rejected("toy")) == 2, "and refused again")
        assert sandbox.count("BAD2") == 1
        await until(lambda: not pipeline.status().in_flight, "the lanes are free")
        assert offer_again(pipeline.app.pool, pipeline.manifest).skus == 2
        await until(lambda: sandbox.count("BAD2") == 2, "all are offered again")


async def test_a_shop_that_takes_what_it_refused_shows_it_after_a_retry(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A", "bad"))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        monkeypatch.setattr("tests.fixtures.channels._problem", lambda body: None)
        offer_again(pipeline.app.pool, pipeline.manifest)
        await until(lambda: "A" in sandbox.shown(), "it is shown")
        await pipeline.level()
        assert sandbox.shown()["A"] == {"name": "bad", "label": "", "price": 1000, "stock": 5}
        with psycopg.connect(database) as conn:
            assert conn.execute("SELECT count(*) FROM deliveries WHERE reasons IS NOT NULL").fetchone() == (0,)
