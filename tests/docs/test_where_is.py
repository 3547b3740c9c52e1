"""Where a newcomer looks: the list in the guide names files and functions that are there."""

import ast
import re

import pytest

from tests.docs.snippets import ROOT

GUIDE = ROOT / "docs" / "how-to" / "contribute.md"
ROW = re.compile(r"^\| (?P<question>[^|]+) \| .*\]\((?P<path>[^)]+)\): `(?P<name>\w+)` \|$", re.M)
SECTION = GUIDE.read_text(encoding="utf-8").partition("### Where is")[2].partition("\n## ")[0]
ROWS = [row.groupdict() for row in ROW.finditer(SECTION)]


def test_every_row_of_the_list_is_checked() -> None:
    assert len(ROWS) == len([line for line in SECTION.splitlines() if line.startswith("| ")]) - 2 > 0


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_what_a_newcomer_looks_for_is_where_the_guide_says(row: dict[str, str]) -> None:
    tree = ast.parse((GUIDE.parent / row["path"]).read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

    assert row["name"] in {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
