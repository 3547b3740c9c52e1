"""Commands beside others: expected versions, rivals, retries, and definitions that another process changes."""

from collections.abc import Iterator

import msgspec
import pytest

from daybook import commands as c
from daybook import events as e
from daybook.commands.book import Book, Command, command_hash_of
from daybook.errors import CommandIdReused, InvalidValue, NotFound, VersionConflict
from daybook.stock.state import Stock, evolve
from tests.fixtures.harness import CHANNELS, MUG, NAME, Harness, harness_on, value
from tests.fixtures.logs import at_once, context, happened, opened
from tests.fixtures.waiting import until


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    """A book on a fresh database."""
    with harness_on(database) as made:
        yield made


def test_an_expected_version_that_holds_is_carried_out_and_another_is_a_conflict(desk: Harness) -> None:
    desk.do(MUG)
    price = c.ChangePrice(sku="MUG", amount="5", currency="EUR")

    done = desk.book.carry_out(price, context(), expected_version=1)
    assert done.version == 2
    for version in (0, 1, 3):
        with pytest.raises(VersionConflict, match=f"product/MUG is at version 2, not {version}") as caught:
            desk.book.carry_out(
                c.ChangePrice(sku="MUG", amount="6", currency="EUR"), context(), expected_version=version
            )
        assert caught.value.details == {"expected": version, "actual": 2}


def test_of_eight_rivals_with_the_same_expected_version_one_wins(desk: Harness) -> None:
    desk.do(MUG)

    def attempt(number: int) -> bool:
        command = c.ChangePrice(sku="MUG", amount=str(number + 1), currency="EUR")
        try:
            desk.book.carry_out(command, context(), expected_version=1)
        except VersionConflict:
            return False
        return True

    assert sum(at_once(8, attempt)) == 1
    assert desk.reader.of_stream("product/MUG")[-1].version == 2


def test_eight_threads_of_two_processes_adjusting_one_stock_add_up(desk: Harness, database: str) -> None:
    desk.do(MUG, c.CountStock(sku="MUG", quantity=100))
    with opened(database) as (log, reader):
        books = [desk.book, Book(log, reader, CHANNELS)]

        def sell(number: int) -> None:
            for _ in range(10):
                books[number % 2].carry_out(c.AdjustStock(sku="MUG", delta=-1), context())

        at_once(8, sell)

        assert log.load("stock/MUG", evolve) == (Stock({"main": 20}), 81)


def test_definitions_of_another_process_are_seen_by_the_next_command(desk: Harness, database: str) -> None:
    desk.do(MUG)
    with opened(database) as (log, reader):
        other = Book(log, reader, CHANNELS)
        assert set(other.reference().attributes) == {"name"}
        change = c.SetAttributes(sku="MUG", changes=(e.AttributeChange(attribute="colour", value="red"),))
        with pytest.raises(NotFound, match="colour"):
            other.carry_out(change, context())

        desk.do(c.DefineAttribute(attribute=e.AttributeDefined(code="colour", type="text")))
        assert other.carry_out(change, context()).changed


def test_a_rule_that_another_process_tightens_holds_here_within_seconds(desk: Harness, database: str) -> None:
    with opened(database) as (log, reader):
        other = Book(log, reader, CHANNELS)
        other.carry_out(MUG, context())
        desk.do(c.DefineAttribute(attribute=msgspec.structs.replace(NAME, length_max=3)))

        def is_refused() -> bool:
            try:
                other.carry_out(c.SetAttributes(sku="MUG", changes=(value("Bokaal"),)), context())
            except InvalidValue:
                return True
            return False

        until(is_refused, "the longer name is refused")


def test_a_rule_that_was_tightened_here_holds_for_the_next_command(desk: Harness) -> None:
    desk.do(MUG, c.SetAttributes(sku="MUG", changes=(value("Mok"),)))
    desk.do(c.DefineAttribute(attribute=msgspec.structs.replace(NAME, length_max=3)))

    with pytest.raises(InvalidValue, match="at most 3"):
        desk.do(c.SetAttributes(sku="MUG", changes=(value("Bokaal"),)))


def test_a_definition_is_always_compared_with_the_newest_one(desk: Harness, database: str) -> None:
    longer = c.DefineAttribute(attribute=msgspec.structs.replace(NAME, length_max=50))
    plain = c.DefineAttribute(attribute=NAME)
    with opened(database) as (log, reader):
        other = Book(log, reader, CHANNELS)
        assert not other.carry_out(plain, context()).changed
        desk.do(longer)

        assert other.carry_out(plain, context()).changed
        assert not other.carry_out(plain, context()).changed
        assert desk.book.reference().attributes["name"] == NAME


def test_a_configured_channel_can_be_sold_on_also_when_no_code_for_it_is_installed(desk: Harness) -> None:
    desk.do(MUG, c.ConfigureChannel(channel=e.ChannelConfigured(name="east")))

    assert desk.do(c.ListProduct(sku="MUG", channel="east"))[0].changed


@pytest.mark.parametrize(
    "command",
    [
        MUG,
        c.DefineAttribute(attribute=e.AttributeDefined(code="colour", type="text")),
        c.DescribeProduct(sku="MUG", kind="product", family="mugs", stock={"main": 3}),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_repeated_command_returns_the_first_result_and_appends_nothing(desk: Harness, command: Command) -> None:
    first = desk.book.carry_out(command, context("c-1"), repeatable=True)
    head, news = desk.reader.head(), desk.news
    again = desk.book.carry_out(command, context("c-1"), repeatable=True)

    assert (again.first, again.last, again.recorded_at) == (first.first, first.last, first.recorded_at)
    assert (first.repeated, again.repeated, again.changed) == (False, True, True)
    assert (desk.reader.head(), desk.news) == (head, news)


def test_a_command_id_with_another_intent_is_refused(desk: Harness) -> None:
    desk.book.carry_out(MUG, context("c-1"), repeatable=True)

    with pytest.raises(CommandIdReused, match="c-1"):
        desk.book.carry_out(c.CreateProduct(sku="CUP"), context("c-1"), repeatable=True)
    assert desk.reader.key_of("CUP") is None


def test_an_id_that_nobody_chose_is_no_key_for_another_command(desk: Harness) -> None:
    (done,) = desk.do(MUG)
    before = desk.reader.head()
    desk.log.append(happened("stock/OLD", 1), context("of an earlier version"))
    desk.log.record([(context("receipt"), happened("listing/shop/MUG", 0))])

    for public in (done.command_id, "of an earlier version", "receipt"):
        with pytest.raises(CommandIdReused, match="was used for another command"):
            desk.book.carry_out(c.CreateProduct(sku="CUP"), context(public), repeatable=True)
    assert desk.reader.head() == before + 2
    again = desk.book.carry_out(MUG, context(done.command_id), repeatable=True)
    assert (again.repeated, again.first) == (True, done.first)


@pytest.mark.parametrize("expected_version", [None, 0])
@pytest.mark.parametrize(
    "command",
    [
        MUG,
        c.DescribeProduct(sku="MUG", kind="product", family="mugs"),
        c.DescribeProduct(sku="MUG", kind="product", stock={"main": 3}),
    ],
    ids=["create", "describe", "describe with stock"],
)
def test_a_retry_while_the_first_try_is_under_way_gets_the_first_trys_result(
    desk: Harness, command: Command, expected_version: int | None
) -> None:
    for attempt in range(5):
        name = f"SKU-{attempt}"
        one = msgspec.structs.replace(command, sku=name)  # type: ignore[type-var]
        head = desk.reader.head()

        results = at_once(
            8,
            lambda _, one=one, name=name: desk.book.carry_out(  # type: ignore[misc]
                one, context(f"c-{name}"), repeatable=True, expected_version=expected_version
            ),
        )

        assert {(done.first, done.last) for done in results} == {(head + 1, desk.reader.head())}
        assert sorted(done.repeated for done in results) == [False] + [True] * 7


def test_the_same_intent_is_the_same_number_in_every_process_and_another_is_another() -> None:
    one = command_hash_of(c.AdjustStock(sku="MUG", delta=1))

    assert one == -8925982035836033814
    assert one == command_hash_of(c.AdjustStock(sku="MUG", delta=1, location="main"))
    assert (
        len(
            {
                one,
                command_hash_of(c.AdjustStock(sku="MUG", delta=2)),
                command_hash_of(c.CountStock(sku="MUG", quantity=1)),
            }
        )
        == 3
    )
    assert -(2**63) <= one < 2**63
