"""An attribute with more options than one event holds."""

from collections.abc import Iterator

import psycopg
import pytest

from daybook import commands as c
from daybook import events as e
from daybook.commands.book import Book
from daybook.errors import InvalidValue
from tests.fixtures.channels import toy
from tests.fixtures.harness import CHANNELS, Harness, harness_on
from tests.fixtures.logs import context, opened
from tests.fixtures.pipeline import Pipeline, product

MANY = 25_000


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    with harness_on(database) as made:
        yield made


def maker(label: str = "Maker") -> c.DefineAttribute:
    options = tuple(
        e.AttributeOption(f"maker_{number}", {"nl-NL": f"Merk {number}", "en-GB": f"{label} {number}"})
        for number in range(MANY)
    )
    return c.DefineAttribute(attribute=e.AttributeDefined(code="maker", type="select", options=options))


@pytest.mark.long
def test_twenty_five_thousand_options_are_defined_in_several_events_that_are_one_command(
    desk: Harness, database: str
) -> None:
    before = desk.reader.head()
    (done,) = desk.do(maker())
    events = desk.reader.after(before)

    assert [type(one.event) for one in events] == [*[e.AttributeOptionsGiven] * (len(events) - 1), e.AttributeDefined]
    assert len({one.command_id for one in events}) == 1
    assert (done.first, done.last) == (before + 1, before + len(events))
    with opened(database) as (log, reader):
        assert reader.reference().attributes["maker"] == maker().attribute
        assert reader.reference(done.last - 1 if done.last else 0).attributes.get("maker") is None
        assert not Book(log, reader, CHANNELS).carry_out(maker(), context()).changed


@pytest.mark.long
def test_a_change_of_one_label_stands_whole_from_its_last_event_on(desk: Harness) -> None:
    first, second = desk.do(maker(), maker("Make"))

    assert second.first is not None and second.last is not None and first.last is not None
    for position in range(first.last, second.last):
        assert desk.reader.reference(position).attributes["maker"] == maker().attribute
    assert desk.reader.reference().attributes["maker"] == maker("Make").attribute
    assert desk.reader.reference().options_given == {}


def test_the_last_of_many_options_can_be_chosen_and_one_that_is_not_there_can_not(desk: Harness) -> None:
    desk.do(maker(), c.CreateProduct(sku="P"))
    last = e.AttributeChange(attribute="maker", value=f"maker_{MANY - 1}")
    assert desk.do(c.SetAttributes(sku="P", changes=(last,)))[0].changed
    with pytest.raises(InvalidValue, match="has no option"):
        desk.do(c.SetAttributes(sku="P", changes=(e.AttributeChange(attribute="maker", value=f"maker_{MANY}"),)))


def test_a_reader_that_remembers_notices_that_the_log_came_back_at_an_earlier_moment(
    desk: Harness, database: str
) -> None:
    desk.do(c.DefineCategory(category=e.CategoryDefined(code="lost")))
    assert "lost" in desk.reader.reference().categories
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        conn.execute("DELETE FROM events WHERE position = (SELECT position FROM head)")
        conn.execute("UPDATE head SET position = position - 1")
    assert "lost" not in desk.reader.reference().categories

    with opened(database) as (log, reader):
        other = c.DefineCategory(category=e.CategoryDefined(code="other"))
        Book(log, reader, CHANNELS).carry_out(other, context())
    assert desk.reader.reference().categories.keys() == {"kitchen", "cups", "other"}


@pytest.mark.long
async def test_many_options_reach_the_projections(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(maker(), product("A"))
        await pipeline.caught_up()
        assert {sku for sku, _ in pipeline.listings()} == {"A"}
        assert pipeline.listings() == pipeline.folded()
