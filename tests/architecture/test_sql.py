"""How the SQL files are written: each block says what it is for, and names what it is given."""

import re
from pathlib import Path

import pytest

from daybook.postgres.sql import load
from tests.architecture.code import SOURCE

FILES = sorted(path for path in SOURCE.rglob("*.sql") if path.parent.name != "migrations")
IN_ORDER_MAX = 2
"""More than these are named, but for columns that are handed over as arrays or to a function, in its order."""
COLUMNS = re.compile(r"unnest\(|\bappend_(commands|one)\(")
PARAMETER = re.compile(r"%[sbt]")


def nameless(query: str) -> bool:
    return len(PARAMETER.findall(query)) > IN_ORDER_MAX and not COLUMNS.search(query)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_each_query_says_what_it_is_for_and_names_what_it_is_given(path: Path) -> None:
    queries = load(path)

    assert queries
    assert [name for name, query in queries.items() if not query.startswith("-- ")] == []
    assert [name for name, query in queries.items() if nameless(query)] == []


def test_a_query_with_three_parameters_in_order_is_noticed() -> None:
    assert nameless("SELECT 1 WHERE a = %s AND b = %s AND c = ANY(%b)")
    assert not nameless("SELECT 1 WHERE a = %(a)s AND b = %(b)s AND c = %(c)s")
