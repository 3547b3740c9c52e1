"""The real catalogue, imported whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.app import App
from daybook.catalogue.group import Group, fold_group
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.events import Measure
from daybook.importing import akeneo
from daybook.importing.ingest import ingest
from daybook.importing.report import Report
from daybook.values import gtin_problem
from tests.fixtures.shared import ICECAT, needs_icecat

OPTIONS = akeneo.AkeneoOptions(list_on=("webshop", "bol"))


@pytest.fixture
def app(tmp_path: Path, database: str) -> Iterator[App]:
    with App(Settings(data=tmp_path, postgres=database), Registry([])) as made:
        yield made


def taken(app: App) -> Report:
    assert ICECAT is not None
    return ingest(app.book, akeneo.read(ICECAT, OPTIONS), actor="importer", source="import:akeneo")


def group(app: App, key: str) -> Group:
    found: Group | None = None
    for one in app.reader.of_key(key):
        found = fold_group(found, one)
    assert found is not None
    return found


@pytest.mark.long
@needs_icecat
def test_all_of_icecat_comes_in_wrong_gtins_are_flagged_and_again_changes_nothing(app: App) -> None:
    first = taken(app)
    head = app.reader.head()
    second = taken(app)

    assert first.ok
    assert first.counts["product"].created == 1239 + 81
    assert first.counts["attribute"].created == 76
    assert first.counts["category"].created == 168
    assert first.counts["family"].created == 17
    assert first.counts["channel"].created == 2
    assert first.flagged == len(first.problems) == 105
    assert {(one.field, one.taken) for one in first.problems} == {("gtin", True)}
    assert all(one.value is not None and gtin_problem(one.value) for one in first.problems)
    assert second.ok
    assert second.counts["product"].unchanged == 1239 + 81
    assert second.flagged == 105
    assert app.reader.head() == head
    _check_products(app)


def _check_products(app: App) -> None:
    reference = app.book.reference()
    assert reference.channels["bol"].locales == ("en-US", "fr-FR", "de-DE")
    jacket = group(app, "model-biker-jacket")
    variant = "Biker-jacket-polyester-s"
    assert [one.sku for one in jacket.chain(variant)][-1] == "model-biker-jacket"
    assert len(list(jacket.chain(variant))) == 3
    assert jacket.family(variant) == "clothing"
    assert jacket.listed(variant, "bol")
    assert not jacket.listed(variant, "amazon")
    # This model's variants spell its code otherwise.
    shirts = group(app, "model-tshirt-divided")
    assert "Tshirt-divided-blue-s" in shirts.products
    assert shirts.products["Tshirt-divided-blue-s"].parent == "model-tshirt-divided-blue"
    keys = [key for key, _ in app.reader.groups_after(limit=1000)]
    printer = next(one for key in keys if (one := group(app, key).products[key]).attributes.get("weight"))
    assert isinstance(printer.attributes["weight"], Measure)
    assert printer.attributes["weight"].unit in ("GRAM", "KILOGRAM")
