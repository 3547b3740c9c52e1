"""A projection is handed what it reads, and nothing else: live, from the log, in a rebuild, and beside others."""

import asyncio
from functools import partial

import psycopg
from msgspec.structs import replace
from psycopg import sql

from daybook.channel.contract import Manifest, Reads
from daybook.events import PersonAdded, PersonErased
from daybook.events.codec import CLASSES
from daybook.events.envelope import REFERENCE_KEY
from daybook.projection.process import ProjectionProcess
from daybook.projection.reading import Reading, condition
from daybook.rebuild.run import apply
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Pipeline, listings, product, until
from tests.fixtures.rebuilding import label, rebuilt, rows_of
from tests.fixtures.register import add, append, change, person, register

READS = (Reads(), Reads(("order",)), Reads(("person", "order")), Reads(("product", "person"), (PersonAdded,)))
KEYS = ("S1", "@reference", "@access", "@order/webshop:1", "@person/1", "@orders", "order/1")


def known(*numbers: int, fields: tuple[str, ...] = ("name",), label: str = "") -> dict[tuple[str, str], object]:
    return {(person(one), "known"): {"fields": list(fields), "label": label} for one in numbers}


def test_postgres_and_python_agree_on_what_a_projection_reads(database: str) -> None:
    rows = [(name, key) for name in CLASSES for key in KEYS]
    columns = [list(column) for column in zip(*rows, strict=True)]
    with psycopg.connect(database) as conn:
        for reads in READS:
            manifest = replace(toy(), reads=reads)
            for own in (False, True):
                query = sql.SQL("SELECT type, key FROM unnest(%s::text[], %s::text[]) AS events(type, key) WHERE {}")
                found = conn.execute(query.format(condition(manifest, own=own)), columns).fetchall()
                taken = [one for one in rows if Reading(manifest).takes(*one)]
                if not own:
                    classes = reads.events or tuple(CLASSES.values())
                    taken = [one for one in taken if issubclass(CLASSES[one[0]], classes) and one[1] != REFERENCE_KEY]
                assert sorted(found) == sorted(taken), (reads, own)


async def test_a_projection_of_people_follows_them_and_no_product(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, register(), toy()) as pipeline:
        add(pipeline, 1)
        pipeline.relay()
        stop = pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"))
        add(pipeline, 2, 3)
        await pipeline.carry_out(product("B"))
        change(pipeline, 2, "mail")
        await pipeline.caught_up()
        assert pipeline.listings() == known(1, 3) | known(2, fields=("mail",))
        await pipeline.end(stop)

        await pipeline.carry_out(product("C"))
        append(pipeline, [PersonErased(person=person(3))])
        add(pipeline, 4)
        done = await rebuilt(database, register())
        assert rows_of(database, done.generation, "register") == known(1, 4) | known(2, fields=("mail",))
        assert done.events == 6

        await apply(database, register())
        pipeline.runner()
        await pipeline.carry_out(product("D"))
        add(pipeline, 5)
        await pipeline.caught_up()
        assert pipeline.listings() == known(1, 4, 5) | known(2, fields=("mail",))


async def test_a_change_of_the_reference_reaches_a_projection_that_reads_no_product(
    database: str, nats_url: str
) -> None:
    async with Pipeline(database, nats_url, register(), toy()) as pipeline:
        add(pipeline, 1)
        pipeline.relay()
        pipeline.runner()
        await pipeline.caught_up()
        await pipeline.carry_out(label("vip"))
        add(pipeline, 2)
        await pipeline.caught_up()
        assert pipeline.listings() == known(1, 2, label="vip")


async def test_only_the_types_that_a_projection_names_are_folded(database: str, nats_url: str) -> None:
    manifest = register(PersonAdded)
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        add(pipeline, 1)
        pipeline.relay()
        pipeline.runner()
        change(pipeline, 1, "mail")
        add(pipeline, 2)
        append(pipeline, [PersonErased(person=person(2))])
        await pipeline.caught_up()
        assert pipeline.listings() == known(1, 2)
        done = await rebuilt(database, manifest)
        assert rows_of(database, done.generation, "register") == known(1, 2)
        assert done.plan is not None and done.plan.empty


async def test_a_projection_that_comes_later_misses_nothing_that_the_others_passed_over(
    database: str, nats_url: str
) -> None:
    async with Pipeline(database, nats_url, toy(), register()) as pipeline:
        process = ProjectionProcess(database, nats_url)
        process.add(toy())
        pipeline.relay()
        pipeline.start(process.run)
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"))
        await pipeline.caught_up()
        for one in range(1, 9):
            add(pipeline, one)
        await pipeline.carry_out(product("B"))
        await until(partial(_stands, pipeline, 1), "the others are past the people")
        process.add(register())
        add(pipeline, 9)
        await until(lambda: _shown(database) == known(*range(1, 10)), "the register has everybody")


def _stands(pipeline: Pipeline, behind: int) -> bool:
    return pipeline.position() >= pipeline.head() - behind


def _shown(database: str) -> object:
    try:
        return listings(database, "register")
    except (AssertionError, psycopg.errors.UndefinedTable):
        return None


async def test_a_product_channel_writes_nothing_for_what_is_about_people(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"))
        await pipeline.caught_up()
        for one in range(1, 200):
            add(pipeline, one)
            await asyncio.sleep(0)
        await pipeline.caught_up()
        assert set(pipeline.listings()) == {("A", "offer"), ("A", "price"), ("A", "stock")}


def test_a_manifest_reads_products_unless_it_says_otherwise() -> None:
    manifest: Manifest = toy()
    assert manifest.reads == Reads(("product",), ())
