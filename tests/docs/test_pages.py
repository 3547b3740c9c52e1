"""The pages as text: generated ones are up to date, links lead somewhere, decisions have their parts."""

import re
from pathlib import Path

import pytest

from daybook import config, http_settings, oidc_settings
from tests.architecture.layers import HEIGHT
from tests.docs import generate
from tests.docs.snippets import ROOT, blocks

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
PARTS = ["Context", "Decision", "Consequences", "Revisit when"]
WORDS_MAX = 500
"""A decision fits on a page."""
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", generate.PAGES)
def test_a_generated_page_says_what_the_source_says(page: str) -> None:
    written = (generate.REFERENCE / page).read_text()
    assert written == generate.PAGES[page](), "run `python -m tests.docs.generate`"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_to_something_that_is_there(page: Path) -> None:
    for link in _LINK.findall(_FENCED.sub("", page.read_text())):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(found), f"{link}: {found.name} has no such heading"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    missing = [
        name(page)
        for page in PAGES
        if page.is_relative_to(ROOT / "docs")
        and page.name != "README.md"
        and f"({page.relative_to(ROOT / 'docs')})" not in index
    ]
    assert not missing


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_four_parts_and_fits_on_a_page(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert len(text.split()) <= WORDS_MAX


def test_decisions_are_numbered_without_a_hole() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_every_setting_is_in_the_table_of_the_production_page_and_nothing_else_is() -> None:
    source = Path(config.__file__).read_text() + Path(http_settings.__file__).read_text()
    known = set(re.findall(r'(?:environ\.get\(|environ, )"(DAYBOOK_\w+)"', source)) | set(config.BESIDE_ADDRESSES)
    known |= {f"DAYBOOK_OIDC_{key}" for key in oidc_settings.KEYS}
    known |= {
        "DAYBOOK_POSTGRES",
        "DAYBOOK_NATS",
        "DAYBOOK_KEYS_POSTGRES_FILE",
        "DAYBOOK_MASTER_KEY_FILE",
        "DAYBOOK_TLS_CERT",
        "DAYBOOK_TLS_KEY",
        "DAYBOOK_CHANNEL_<NAME>_<KEY>",
        "DAYBOOK_CHANNEL_<NAME>_<KEY>_FILE",
        "DAYBOOK_CHANNEL_<NAME>_<KEY>_COMMAND",
    }
    table = (ROOT / "docs/how-to/run-in-production.md").read_text()
    assert set(re.findall(r"^\| `(DAYBOOK_[\w<>]+)` \|", table, re.MULTILINE)) == known


def test_the_example_of_the_readme_is_short() -> None:
    (example,) = blocks("README.md", "console")
    assert 15 <= len(example.splitlines()) <= 30


def test_every_room_of_the_house_is_in_the_picture_of_the_readme() -> None:
    (picture,) = [block for block in blocks("README.md", "text") if "pure decisions" in block]
    named = set(re.findall(r"[a-z_]+", picture))
    rooms = {room for room in HEIGHT if not room.startswith("__")}
    assert not rooms - named
