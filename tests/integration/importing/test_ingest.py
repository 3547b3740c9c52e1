"""Rows carried out against a real log: each whole or not at all, and harmless to run again."""

import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import ChangePrice, ConfigureChannel, DescribeProduct
from daybook.commands.describe import Price
from daybook.config import Settings
from daybook.demo.catalogue import generate
from daybook.errors import InvalidValue
from daybook.events import AttributeChange, ChannelConfigured, ProductCreated
from daybook.exporting.catalogue import export
from daybook.importing.ingest import ingest
from daybook.importing.records import Record
from daybook.importing.report import Report, check_report_path
from daybook.importing.rows import Entry, Flag, Notice, Row
from daybook.log.pending import Context
from daybook.postgres.migrate import migrate
from daybook.product.state import Product, evolve
from tests.fixtures.log_events import every_event


@pytest.fixture
def app(tmp_path: Path, database: str) -> Iterator[App]:
    with app_on(tmp_path, database) as made:
        yield made


def app_on(data: Path, dsn: str) -> App:
    return App(Settings(data=data, postgres=dsn), Registry([]))


def rows(*given: Record) -> list[Row]:
    return [Row(file="some.jsonl", line=number, record=record) for number, record in enumerate(given, 1)]


def taken(app: App, entries: Iterable[Entry], **more: Any) -> Report:
    return ingest(app.book, entries, actor="merchandiser", source="import:test", **more)


def counts(report: Report, noun: str = "product") -> tuple[int, int, int, int]:
    tally = report.counts[noun]
    return tally.created, tally.changed, tally.unchanged, tally.failed


def product(app: App, sku: str) -> Product:
    state, _ = app.log.load(f"product/{sku}", evolve)
    assert state is not None
    return state


def test_a_whole_catalogue_is_taken_and_taking_it_again_appends_nothing(app: App) -> None:
    demo = rows(*generate(60))

    first = taken(app, demo, reason="spring range")
    head = app.reader.head()
    second = taken(app, demo)

    assert first.ok
    assert second.ok
    assert first.rows == second.rows == len(demo)
    models = first.counts["product"].total - 60
    assert models > 0
    assert counts(first) == (60 + models, 0, 0, 0)
    assert counts(second) == (0, 0, 60 + models, 0)
    assert counts(first, "attribute") == (15, 0, 0, 0)
    assert counts(second, "attribute") == (0, 0, 15, 0)
    assert app.reader.head() == head


def test_every_event_says_who_why_where_from_and_which_import(app: App) -> None:
    report = taken(app, rows(*generate(10)), reason="spring range")

    events = list(every_event(app.reader))
    said = {(one.actor, one.reason, one.source, one.correlation_id) for one in events}
    assert said == {("merchandiser", "spring range", "import:test", report.correlation_id)}


def test_one_command_a_product_so_that_its_events_are_neighbours_and_whole(app: App) -> None:
    taken(app, rows(*generate(40)))

    commands: dict[str, list[int]] = {}
    skus: dict[str, set[str | None]] = {}
    for one in every_event(app.reader):
        commands.setdefault(one.command_id, []).append(one.position)
        skus.setdefault(one.command_id, set()).add(one.sku)
    for command_id, positions in commands.items():
        assert positions == list(range(positions[0], positions[-1] + 1))
        assert len(skus[command_id]) == 1


def test_a_changed_product_is_changed_and_only_by_its_difference(app: App) -> None:
    before = DescribeProduct(
        sku="A", kind="product", prices=(Price(amount="10", currency="EUR"),), stock={"x": 1, "y": 1}
    )
    after = DescribeProduct(
        sku="A", kind="product", prices=(Price(amount="12", currency="EUR"),), stock={"x": 2, "y": 2}
    )
    taken(app, rows(before))
    head = app.reader.head()

    report = taken(app, rows(after))

    assert counts(report) == (0, 1, 0, 0)
    assert [one.type for one in app.reader.after(head)] == [
        "product.price_changed.v1",
        "stock.counted.v1",
        "stock.counted.v1",
    ]


def test_a_row_that_can_not_be_taken_is_a_problem_and_the_others_go_on(app: App) -> None:
    lost = AttributeChange(attribute="colour", value="red")
    entries = rows(
        DescribeProduct(sku="A", kind="product"),
        DescribeProduct(sku="bad sku", kind="product"),
        DescribeProduct(sku="B", kind="product", attributes=(lost,)),
        DescribeProduct(sku="C", kind="variant", parent="nobody"),
        DescribeProduct(sku="D", kind="product"),
    )

    report = taken(app, entries)

    assert counts(report) == (2, 0, 0, 3)
    assert not report.ok
    told = [(one.line, one.sku, one.field, one.taken) for one in report.sorted_problems()]
    assert told == [
        (2, "bad sku", "sku", False),
        (3, "B", "attributes.colour", False),
        (4, "C", "parent", False),
    ]
    assert "parent nobody of C does not exist" in report.sorted_problems()[2].reason
    assert {one.sku for one in every_event(app.reader)} == {"A", "D"}


def test_variants_wait_for_models_that_are_still_on_their_way(app: App) -> None:
    def family() -> Iterator[Record]:
        for number in range(40):
            yield DescribeProduct(sku=f"M{number}", kind="model")
            yield DescribeProduct(sku=f"M{number}-S", kind="model", parent=f"M{number}")
            for size in range(3):
                yield DescribeProduct(sku=f"M{number}-S-{size}", kind="variant", parent=f"M{number}-S")

    report = taken(app, rows(*family()))

    assert counts(report) == (200, 0, 0, 0)
    assert app.reader.key_of("M39-S-2") == "M39"


def test_a_product_that_comes_twice_ends_as_its_later_row_says(app: App) -> None:
    def twice() -> Iterator[Record]:
        for amount in range(1, 31):
            yield DescribeProduct(sku="A", kind="product", prices=(Price(amount=str(amount), currency="EUR"),))

    report = taken(app, rows(*twice()))

    assert counts(report) == (1, 29, 0, 0)
    assert product(app, "A").prices == {"default": {"EUR": 3000}}


def test_a_product_that_names_itself_or_its_own_variant_as_parent_fails_and_nothing_hangs(app: App) -> None:
    report = taken(
        app,
        rows(
            DescribeProduct(sku="A", kind="model", parent="A"),
            DescribeProduct(sku="B", kind="model", parent="C"),
            DescribeProduct(sku="C", kind="model", parent="B"),
        ),
    )

    assert counts(report) == (0, 0, 0, 3)


def test_a_wrong_gtin_is_taken_with_a_flag_every_time(app: App) -> None:
    entries = rows(
        DescribeProduct(sku="A", kind="product", gtin="4006381333932"),
        DescribeProduct(sku="B", kind="product", gtin="4006381333931"),
    )

    for report in (taken(app, entries), taken(app, entries)):
        (flag,) = report.problems
        assert (flag.sku, flag.field, flag.value, flag.taken) == ("A", "gtin", "4006381333932", True)
        assert "wrong check digit" in flag.reason
        assert (report.flagged, report.failed, report.ok) == (1, 0, True)
    assert product(app, "A").gtin == "4006381333932"


def test_what_the_reader_could_not_read_and_what_it_passed_over_is_in_the_report(app: App) -> None:
    unread = Row(file="a.csv", line=7, record=None, name="A", flags=(Flag("pages", "x", "must be a number"),))
    flagged = Row(
        file="a.csv", line=8, record=DescribeProduct(sku="B", kind="product"), flags=(Flag("zip", "-", "was left out"),)
    )

    report = taken(app, [Notice("a.csv", "groups", "no groups here"), unread, flagged])

    assert counts(report) == (1, 0, 0, 1)
    assert [(one.line, one.sku, one.field, one.taken) for one in report.sorted_problems()] == [
        (1, None, "groups", True),
        (7, "A", "pages", False),
        (8, "B", "zip", True),
    ]
    assert report.summary()["notices"] == 1
    assert report.flagged == 1


def test_a_first_proposal_leaves_an_existing_configuration_as_it_is(app: App) -> None:
    def proposal(currency: str) -> Row:
        record = ConfigureChannel(channel=ChannelConfigured(name="bol", currency=currency))
        return Row(file="c.csv", line=2, record=record, keep_existing=True)

    assert counts(taken(app, [proposal("EUR")]), "channel") == (1, 0, 0, 0)
    assert counts(taken(app, [proposal("GBP")]), "channel") == (0, 0, 1, 0)
    assert app.book.reference().channels["bol"].currency == "EUR"


def test_a_stopped_import_leaves_no_half_product_and_goes_on_when_it_is_run_again(
    app: App, tmp_path: Path, empty_database: str
) -> None:
    demo = rows(*generate(120))
    stop = threading.Event()

    def after_fifty(report: Report) -> None:
        if report.rows == 50:
            stop.set()

    stopped = taken(app, demo, stop=stop, progress=after_fifty)

    assert stopped.ended == "stopped"
    assert stopped.message is not None
    assert "some.jsonl, line" in stopped.message
    assert "Run the same import again" in stopped.message
    assert 50 <= stopped.rows < len(demo)
    created = [one.sku for one in every_event(app.reader) if isinstance(one.event, ProductCreated)]
    assert len(created) == stopped.counts["product"].created

    resumed = taken(app, demo)

    assert resumed.ok
    assert resumed.counts["product"].unchanged == len(created)
    assert list(export(app.reader)) == list(undisturbed(demo, tmp_path, empty_database))


def test_an_outage_ends_the_import_with_the_reason_and_running_it_again_resumes(
    app: App, tmp_path: Path, database: str, empty_database: str
) -> None:
    demo = rows(*generate(120))

    def cut_off(report: Report) -> None:
        if report.rows == 80:
            app.pool.close()

    broken = taken(app, demo, progress=cut_off)

    assert broken.ended == "outage"
    assert broken.message is not None
    assert "Postgres can't be reached" in broken.message
    assert "Run the same import again" in broken.message
    assert broken.failed == 0
    assert not broken.ok
    with app_on(tmp_path, database) as again:
        resumed = taken(again, demo)
        assert resumed.ok
        assert resumed.counts["product"].unchanged >= broken.counts["product"].created
        assert list(export(again.reader)) == list(undisturbed(demo, tmp_path, empty_database))


def undisturbed(demo: list[Row], data: Path, dsn: str) -> Iterator[bytes]:
    """What the book holds after an import that nothing disturbed."""
    migrate(dsn)
    with app_on(data, dsn) as other:
        assert taken(other, demo).ok
        yield from export(other.reader)


def test_what_the_rows_raise_passes_after_the_rows_in_flight_are_finished(app: App) -> None:
    def broken() -> Iterator[Row]:
        yield from rows(DescribeProduct(sku="A", kind="product"), DescribeProduct(sku="B", kind="product"))
        raise InvalidValue("file", "was cut off")

    with pytest.raises(InvalidValue, match="was cut off"):
        taken(app, broken())

    assert {one.sku for one in every_event(app.reader)} == {"A", "B"}


def test_memory_is_bounded_because_rows_are_fetched_only_as_others_are_finished(app: App) -> None:
    fetched = 0

    def many() -> Iterator[Row]:
        nonlocal fetched
        for row in rows(*(DescribeProduct(sku=f"P{number}", kind="product") for number in range(200))):
            fetched += 1
            yield row

    ahead = 0

    def measure(report: Report) -> None:
        nonlocal ahead
        ahead = max(ahead, fetched - report.rows)

    taken(app, many(), progress=measure, workers=2)

    assert 0 < ahead <= 9


def test_people_can_change_a_product_while_it_is_imported(app: App) -> None:
    price = (Price(amount="1", currency="EUR"),)
    taken(app, rows(DescribeProduct(sku="A", kind="product", prices=price)))

    def meanwhile(report: Report) -> None:
        app.book.carry_out(
            ChangePrice(sku="A", amount=str(report.rows + 5), currency="EUR"), Context.new("merchandiser", "cli")
        )

    report = taken(
        app,
        rows(*(DescribeProduct(sku="A", kind="product", categories=(), prices=price) for _ in range(20))),
        progress=meanwhile,
    )

    assert report.failed == 0
    assert report.ok


def test_the_report_is_written_as_csv_and_as_json(app: App, tmp_path: Path) -> None:
    report = taken(
        app, rows(DescribeProduct(sku="A", kind="product", gtin="1"), DescribeProduct(sku="-", kind="product"))
    )

    report.write(tmp_path / "report.csv")
    report.write(tmp_path / "report.json")

    first, *lines = (tmp_path / "report.csv").read_text().splitlines()
    assert first == "file,line,sku,field,value,reason,taken"
    assert lines[0] == 'some.jsonl,1,A,gtin,1,"has 1 digits; a GTIN has 8, 12, 13 or 14",yes'
    assert lines[1].startswith("some.jsonl,2,-,sku,-,")
    assert lines[1].endswith(",no")
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["summary"]["counts"]["product"] == {"created": 1, "changed": 0, "unchanged": 0, "failed": 1}
    assert [one["line"] for one in told["problems"]] == [1, 2]
    with pytest.raises(InvalidValue, match=r"must end in \.csv or \.json"):
        check_report_path(tmp_path / "report.txt")
    with pytest.raises(InvalidValue, match="there is no folder"):
        check_report_path(tmp_path / "nowhere" / "report.csv")


def test_the_printed_report_shows_the_first_problems_and_how_many_more_there_are(app: App) -> None:
    report = taken(app, rows(*(DescribeProduct(sku=f"-{number}", kind="product") for number in range(30))))

    lines = list(report.lines(shown=5))

    assert lines[0] == "products: 30 failed"
    assert lines[1] == "not taken:"
    assert lines[2].startswith("  some.jsonl, line 1: -0: sku: may hold letters")
    assert lines[-1].startswith("  and 25 more")
