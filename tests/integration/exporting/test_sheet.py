"""A sheet that was exported and taken back as it is changes nothing, whatever the catalogue holds."""

from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import DefineAttribute, DescribeProduct
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.errors import DaybookError
from daybook.events import AttributeChange, AttributeDefined
from daybook.exporting.sheet import export_sheet
from daybook.importing.ingest import ingest
from daybook.importing.sheet.columns import guarded, unguarded
from daybook.importing.sheet.read import SheetOptions, read
from daybook.log.pending import Context
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples
from tests.fixtures.rebuilding import SKUS, commands

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1, max_size=12) | st.sampled_from(
    ("=1+1", "+31 20", "-5", "'=x", "''=x", "@me", "0012", "1,5", 'a "b"', "two\nlines", "a;b,c\td")
)
named = st.builds(
    lambda sku, text: DescribeProduct(sku=sku, attributes=(AttributeChange(attribute="name", value=text),)),
    st.sampled_from(SKUS),
    texts,
)


@examples(few=15, many=400)
@given(history=st.lists(commands | named, min_size=3, max_size=20))
def test_a_sheet_that_is_taken_back_as_it_is_changes_nothing(
    database: str, tmp_path_factory: object, history: list[Command]
) -> None:
    path = Path(tmp_path_factory.mktemp("sheet")) / "all.csv"  # type: ignore[attr-defined]
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy()])) as app:
        for one in (DefineAttribute(attribute=AttributeDefined(code="name", type="text")), *history):
            with suppress(DaybookError):
                app.book.carry_out(one, Context.new("ann", "test"))
        head = app.reader.head()
        path.write_bytes(b"".join(export_sheet(app.reader, head)))
        report = ingest(app.book, read(path, app.reader.reference(), SheetOptions()), actor="ann")
        assert (report.ok, report.problems) == (True, [])
        assert app.reader.head() == head


@given(texts)
def test_a_guarded_text_is_no_formula_and_comes_back(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    assert not cell.startswith(("=", "@", "\t"))
