"""Pages of the catalogue cost at most so much, and their cursors lead through all of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.app import App
from daybook.catalogue.reference import EMPTY
from daybook.channel.registry import Registry
from daybook.commands import CategoriseProduct, CountStock, CreateProduct, DefineCategory
from daybook.config import Settings
from daybook.events import CategoryDefined
from daybook.log.pending import Context
from daybook.queries import catalogue, walk
from daybook.queries.catalogue import PageThen, full_page_then, page_then
from daybook.queries.moment import Moment, resolve
from daybook.queries.timeline import Past, catalogue_at, groups
from daybook_projections.timeline import manifest

SKUS = [f"S-{number:02}" for number in range(30)]


@pytest.fixture
def app(database: str) -> Iterator[App]:
    """Thirty products of three events each, of which the last one is on sale; no timeline ever ran."""
    with App(Settings(data=Path("unused"), postgres=database), Registry([manifest])) as app:
        commands = [DefineCategory(category=CategoryDefined(code="sale"))]
        commands += [CreateProduct(sku=sku) for sku in SKUS]  # type: ignore[misc]
        commands += [CountStock(sku=sku, quantity=number) for sku in SKUS for number in (1, 2)]  # type: ignore[misc]
        commands += [CategoriseProduct(sku=SKUS[-1], categories=("sale",))]  # type: ignore[list-item]
        for one in commands:
            app.book.carry_out(one, Context.new("ann", "test"))
        yield app


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "WALK_EVENTS_MAX", 15)
    monkeypatch.setattr(walk, "WALK_KEYS_MAX", 12)
    monkeypatch.setattr(walk, "PAGE_KEYS", 4)


def now(app: App) -> Past:
    return catalogue_at(app.pool, app.reader, app.registry, resolve(app.reader).position)


def all_pages(past: Past, category: str | None = None) -> list[PageThen]:
    """Every page, as a client asks for them."""
    pages = [page_then(past, EMPTY, category=category)]
    while (after := pages[-1].next) is not None:
        pages.append(page_then(past, EMPTY, after, category=category))
        assert len(pages) < 50
    return pages


@pytest.mark.usefixtures("narrow")
def test_a_filter_that_nothing_matches_takes_pages_that_are_bounded_and_come_to_an_end(app: App) -> None:
    pages = all_pages(now(app), category="nowhere")
    assert [one.next for one in pages] == ["S-04", "S-09", "S-14", "S-19", "S-24", None]
    assert not any(one.groups for one in pages)


@pytest.mark.usefixtures("narrow")
def test_what_matches_rarely_is_found_behind_empty_pages(app: App) -> None:
    pages = all_pages(now(app), category="sale")
    assert [one.key for page in pages for one in page.groups] == [SKUS[-1]]
    told: list[str | None] = []
    found = full_page_then(now(app), EMPTY, lambda page: told.append(page.next), category="sale")
    assert ([one.key for one in found.groups], found.next) == ([SKUS[-1]], None)
    assert told == [page.next for page in pages[:-1]]


@pytest.mark.usefixtures("narrow")
def test_groups_that_came_later_than_the_moment_are_passed_by_in_bounded_steps(app: App) -> None:
    early = catalogue_at(app.pool, app.reader, app.registry, 2)  # only the first product was there
    pages = all_pages(early)
    assert [one.key for page in pages for one in page.groups] == [SKUS[0]]
    assert [one.next for one in pages] == ["S-11", "S-23", None]


@pytest.mark.usefixtures("narrow")
def test_short_pages_together_are_the_whole_catalogue(app: App) -> None:
    assert [one.key for one in groups(now(app))] == SKUS
    seen, after = [], ""
    while True:
        page = catalogue.page(app.reader, Moment(app.reader.head()), after)
        seen += [one.sku for one in page.products]
        if page.next is None:
            break
        assert len(page.products) <= 5
        after = page.next
    assert seen == SKUS


def test_a_group_that_is_larger_than_a_page_may_be_is_told_by_itself(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "WALK_EVENTS_MAX", 2)
    pages = all_pages(now(app))
    assert [one.key for page in pages for one in page.groups] == SKUS
    assert max(len(page.groups) for page in pages) == 1


def test_within_the_bounds_the_last_page_says_so(app: App) -> None:
    assert [(len(one.groups), one.next) for one in all_pages(now(app))] == [(30, None)]
    assert page_then(now(app), EMPTY, limit=30).next is None
    assert page_then(now(app), EMPTY, limit=29).next == SKUS[28]
