"""The timeline looks up what the fold gives: at every position, whatever the batches, parked groups and restarts."""

import asyncio
import random
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from daybook.channel.contract import Rendered
from daybook.commands import (
    AdjustStock,
    ChangePrice,
    ConfigureChannel,
    CountStock,
    DefineAttribute,
    DefineCategory,
    DelistProduct,
    ListProduct,
    RemovePrice,
)
from daybook.commands.book import Command
from daybook.demo.catalogue import generate
from daybook.errors import DaybookError
from daybook.events import AttributeChange, AttributeDefined, CategoryDefined, ChannelConfigured
from daybook.exporting.catalogue import export
from daybook.importing.ingest import ingest
from daybook.importing.rows import Row
from daybook.log.pending import Context
from daybook.projection import session as session_module
from daybook.projection import source as source_module
from daybook.projection.parking import discard, retry
from daybook.queries.timeline import Folded, Past, catalogue_at, groups
from daybook_projections.timeline import manifest
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Pipeline, product

SKUS = ("A", "B", "b", "M", "M-1", "M-2", "Z.1")


def a_history(chance: random.Random, length: int) -> list[Command]:
    """Commands of one event and of many, for plain products and a model; some change nothing."""
    told: list[Command] = [
        DefineAttribute(attribute=AttributeDefined(code="size", type="number")),
        DefineCategory(category=CategoryDefined(code="shoes")),
        DefineCategory(category=CategoryDefined(code="sale")),
    ]
    for _ in range(length):
        sku = chance.choice(SKUS)
        kind: dict[str, Any] = {"kind": "model"} if sku == "M" else {}
        kind |= {"kind": "variant", "parent": "M"} if sku.startswith("M-") else {}
        values = (
            AttributeChange(attribute="name", value=chance.choice(("één", "twee", "trois", 'a "b"\\'))),
            AttributeChange(attribute="size", value=chance.choice((1, 1.0, 2.5, 1e22, -3))),
        )
        whole = product(
            sku,
            attributes=values[: chance.randrange(3)],
            categories=tuple(chance.sample(("shoes", "sale"), chance.randrange(3))),
            stock={"main": chance.randrange(3), "antwerp": 1},
            channels={"toy": chance.random() < 0.5},
            discontinued=chance.random() < 0.1,
            **kind,
        )
        told.append(
            chance.choice(
                (
                    whole,
                    whole,
                    CountStock(sku=sku, quantity=chance.randrange(4)),
                    AdjustStock(sku=sku, delta=-2),
                    ChangePrice(sku=sku, amount=f"{chance.randrange(1, 4)}", currency=chance.choice(("EUR", "JPY"))),
                    RemovePrice(sku=sku, currency="EUR"),
                    ListProduct(sku=sku, channel="toy"),
                    DelistProduct(sku=sku, channel="toy"),
                    ConfigureChannel(channel=ChannelConfigured(name="toy", extra={"label": str(chance.random())})),
                )
            )
        )
    return told


async def tell(pipeline: Pipeline, commands: list[Command]) -> None:
    """What the book refuses (no such product yet) is left out."""
    for one in commands:
        try:
            await pipeline.carry_out(one)
        except DaybookError:
            continue


def then(pipeline: Pipeline, position: int) -> Past:
    found = catalogue_at(pipeline.app.pool, pipeline.app.reader, pipeline.app.registry, position)
    assert found.indexed, found.reason
    return found


def everything(told: Past) -> list[Any]:
    return [(one.key, dict(one.listing)) for one in groups(told)]


def timeline(dsn: str, nats_url: str) -> Pipeline:
    return Pipeline(dsn, nats_url, manifest, toy())


@pytest.mark.parametrize(("seed", "batch"), [(1, 1), (2, 3), (3, 1000)])
async def test_an_export_from_the_timeline_is_the_folds_byte_for_byte_at_every_position(
    database: str, nats_url: str, seed: int, batch: int
) -> None:
    async with timeline(database, nats_url) as pipeline:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(source_module, "BATCH_EVENTS_MAX", batch)
            patch.setattr(session_module, "CATCH_UP_EVENTS", 2)
            await pipeline.define_attributes()
            await tell(pipeline, a_history(random.Random(seed), 30))
            pipeline.runner()
            await pipeline.caught_up()
        assert overlaps(database) == 0
        inside = 0
        for position in range(0, pipeline.head() + 1, 1 if batch == 3 else 4):
            told = then(pipeline, position)
            assert list(export(pipeline.app.reader, then=told)) == list(export(pipeline.app.reader, upto=position)), (
                position
            )
            assert everything(told) == everything(Folded(pipeline.app.reader, manifest, position)), position
            inside += bool(told._cut)  # type: ignore[attr-defined]
        assert inside > 2, "positions inside of commands were among them"


async def test_an_import_is_told_at_positions_within_it(database: str, nats_url: str) -> None:
    rows = [Row(file="demo", line=number, record=record) for number, record in enumerate(generate(40), 1)]
    shops = (replace(toy(), name=name) for name in ("amazon", "bol", "webshop"))
    async with Pipeline(database, nats_url, manifest, *shops) as pipeline:
        report = await asyncio.to_thread(ingest, pipeline.app.book, rows, actor="test")
        assert report.ok
        pipeline.runner()
        await pipeline.caught_up()
        chance = random.Random(4)
        for position in [pipeline.head(), *(chance.randrange(pipeline.head()) for _ in range(25))]:
            told = list(export(pipeline.app.reader, then=then(pipeline, position)))
            assert told == list(export(pipeline.app.reader, upto=position)), position
            assert len(told) > 1 or position < 5


async def test_pages_and_filters_give_what_the_fold_gives_at_every_position(database: str, nats_url: str) -> None:
    async with timeline(database, nats_url) as pipeline:
        await pipeline.define_attributes()
        await tell(pipeline, a_history(random.Random(9), 40))
        pipeline.runner()
        await pipeline.caught_up()
        found = 0
        for position in range(0, pipeline.head() + 1, 3):
            told, folded = then(pipeline, position), Folded(pipeline.app.reader, manifest, position)
            for wanted in ({}, {"categories": "sale"}, {"categories": "shoes", "listed_on": "toy"}):
                for after, limit in (("", 2), ("A", 2), ("M", 1), ("Z.1", 5)):
                    page = told.page(after, limit, wanted)
                    assert page == folded.page(after, limit, wanted), (position, after, wanted)
                    found += len(page.groups) * bool(wanted)
        assert found > 20


async def test_the_past_stays_as_it_was_told_when_the_present_moves_on(database: str, nats_url: str) -> None:
    async with timeline(database, nats_url) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A", "one"))
        pipeline.runner()
        await pipeline.caught_up()
        position = pipeline.head()
        before = everything(then(pipeline, position))
        await pipeline.carry_out(product("A", "two"), CountStock(sku="A", quantity=1), product("B"))
        await pipeline.caught_up()
        assert everything(then(pipeline, position)) == before
        assert everything(then(pipeline, pipeline.head())) != before


async def test_a_stock_change_stores_no_text_again_and_a_version_says_from_when_to_when_it_stood(
    database: str, nats_url: str
) -> None:
    async with timeline(database, nats_url) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"))
        first = pipeline.head()
        await pipeline.carry_out(*(CountStock(sku="A", quantity=n) for n in (7, 8)))
        pipeline.runner()
        await pipeline.caught_up()
        with psycopg.connect(database) as conn:
            rows = conn.execute(
                "SELECT facet, position, until, payload #>> '{stock,main}', recorded_at, until_at "
                "FROM versions_timeline_1 ORDER BY facet, position"
            ).fetchall()
            times: dict[int, Any] = dict(conn.execute("SELECT position, recorded_at FROM events").fetchall())
        assert [row[0] for row in rows] == ["group", "prices", "product", "stock", "stock", "stock"]
        stock = [row[1:] for row in rows[3:]]
        assert [one[:3] for one in stock] == [
            (first, first + 1, "5"), (first + 1, first + 2, "7"), (first + 2, 2**63 - 1, "8"),
        ]  # fmt: skip
        assert [one[3:] for one in stock] == [(times[p], times.get(p + 1)) for p in range(first, first + 3)]


async def test_a_moment_that_the_timeline_has_not_reached_is_read_from_the_log(database: str, nats_url: str) -> None:
    async with timeline(database, nats_url) as pipeline:
        app = pipeline.app
        await pipeline.define_attributes()
        assert "never run" in str(catalogue_at(app.pool, app.reader, app.registry, 1).reason)
        await pipeline.carry_out(product("A"))
        runner = pipeline.runner()
        await pipeline.caught_up()
        await pipeline.end(runner)
        reached = pipeline.head()
        await pipeline.carry_out(product("B"))
        late = catalogue_at(app.pool, app.reader, app.registry, pipeline.head())
        assert not late.indexed and f"at position {reached}" in str(late.reason)
        assert [one.key for one in groups(late)] == ["A", "B"]
        assert catalogue_at(app.pool, app.reader, app.registry, reached).indexed


async def test_a_timeline_of_other_code_is_not_asked(database: str, nats_url: str) -> None:
    async with timeline(database, nats_url) as pipeline:
        await pipeline.define_attributes()
        pipeline.runner()
        await pipeline.caught_up()
    newer = replace(manifest, version=manifest.version + 1)
    async with Pipeline(database, nats_url, newer) as pipeline:
        found = catalogue_at(pipeline.app.pool, pipeline.app.reader, pipeline.app.registry, 1)
        assert not found.indexed and "other code" in str(found.reason)


def overlaps(dsn: str) -> int:
    """How many pairs of versions stood at the same position."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT count(*) FROM versions_timeline_1 a JOIN versions_timeline_1 b USING (key, sku, facet) "
            "WHERE a.position < b.until AND b.position < a.until AND (a.position, a.until) < (b.position, b.until)"
        ).fetchone()
    assert row is not None
    return int(row[0])


def poisonous(group: Any, reference: Any) -> Rendered:
    """The timeline with a fault."""
    if any(one.attributes.get("name") == "poison" for one in group.products.values()):
        raise RuntimeError("poison")
    return manifest.render(group, reference)


async def test_a_group_that_was_left_out_sends_later_moments_to_the_log_until_it_is_folded_again(
    database: str, nats_url: str
) -> None:
    faulty = replace(manifest, render=poisonous, render_change=None)
    async with Pipeline(database, nats_url, faulty, toy()) as pipeline:
        app = pipeline.app
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("B"))
        good = pipeline.head()
        await pipeline.carry_out(
            product("A", "poison"), CountStock(sku="A", quantity=1), CountStock(sku="B", quantity=2)
        )
        runner = pipeline.runner()
        await pipeline.caught_up()
        assert catalogue_at(app.pool, app.reader, app.registry, good).indexed
        left_out = catalogue_at(app.pool, app.reader, app.registry, pipeline.head())
        assert not left_out.indexed and "left out" in str(left_out.reason)
        await pipeline.end(runner)

    async with timeline(database, nats_url) as pipeline:
        assert await retry(database, manifest) == ["A"]
        pipeline.runner()
        await pipeline.caught_up()
        for position in range(pipeline.head() + 1):
            assert everything(then(pipeline, position)) == everything(Folded(pipeline.app.reader, manifest, position))
        assert overlaps(database) == 0


async def test_an_event_that_a_person_had_left_out_sends_every_moment_to_the_log(database: str, nats_url: str) -> None:
    faulty = replace(manifest, render=poisonous, render_change=None)
    async with Pipeline(database, nats_url, faulty, toy()) as pipeline:
        app = pipeline.app
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("A", "poison"))
        pipeline.runner()
        await pipeline.caught_up()
        sender = replace(Context.new("ann", "cli"), reason="a test")
        assert await discard(database, faulty, app.log, "A", sender) == ["A"]
        await pipeline.caught_up()
        found = catalogue_at(app.pool, app.reader, app.registry, pipeline.head())
        assert not found.indexed and "left out" in str(found.reason)


async def test_a_generation_that_was_filled_without_its_history_is_not_run_and_not_asked(
    database: str, nats_url: str
) -> None:
    async with timeline(database, nats_url) as pipeline:
        await pipeline.define_attributes()
        runner = pipeline.runner()
        await pipeline.caught_up()
        await pipeline.end(runner)
        with psycopg.connect(database) as conn:
            conn.execute("DROP TABLE versions_timeline_1")
        found = catalogue_at(pipeline.app.pool, pipeline.app.reader, pipeline.app.registry, 1)
        assert not found.indexed and "rebuild" in str(found.reason)
        with pytest.raises(DaybookError, match="without its history"):
            await session_of(database)


async def session_of(dsn: str) -> None:
    from daybook.postgres.pool import connect_async
    from daybook.projection.generations import live

    async with await connect_async(dsn, "test") as conn:
        await session_module.Session.open(conn, manifest, *await live(conn, manifest))
