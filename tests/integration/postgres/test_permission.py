"""A role that may only read, and a database that takes no changes, are told in words at both edges."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from tests.fixtures.commandline import Daybook
from tests.fixtures.owner import client_of

PRODUCT = "/api/v1/products/A"


@pytest.fixture
def reader(database: str) -> Iterator[str]:
    """The DSN of a role that may read everything and change nothing; product A is there."""
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    daybook.json("product", "create", "A")
    role = sql.Identifier(f"reader_{uuid4().hex}")
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        conn.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(role))
        try:
            yield make_conninfo(database, user=role.as_string(conn).strip('"'))
        finally:
            conn.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
def standby(database: str) -> str:
    """The DSN of a database that takes no changes; product A is there."""
    Daybook({"DAYBOOK_POSTGRES": database}).json("product", "create", "A")
    return make_conninfo(database, options="-c default_transaction_read_only=on")


def check_both_edges(dsn: str, word: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": dsn})
    assert daybook.json("product", "show", "A")["sku"] == "A"
    for change in ("product price A 1.00 EUR", "product create B", "product stock A count 1"):
        problem = daybook.refuses(7, "not_permitted", *change.split())
        assert word in problem["message"] and "DAYBOOK_POSTGRES" in problem["message"]
    imported = daybook(
        "--json", "import", "jsonl", "-", stdin=b'{"type": "describe_product", "sku": "B", "kind": "product"}'
    )
    assert (imported.code, imported.problem["code"]) == (7, "not_permitted")
    with App(Settings(data=Path("unused"), postgres=dsn), Registry([])) as app, client_of(app) as client:
        assert client.get(PRODUCT).status_code == 200
        for answer in (
            client.put(f"{PRODUCT}/prices/default/EUR", json={"amount": "1.00"}),
            client.put(f"{PRODUCT}/stock/main", json={"quantity": 1}),
            client.put("/api/v1/attributes/a", json={"code": "a", "type": "text"}),
        ):
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (503, "not_permitted"), problem
            assert word in problem["detail"]
            assert "error_id" not in problem


def test_a_role_that_may_only_read_answers_questions_and_says_why_it_changes_nothing(reader: str) -> None:
    check_both_edges(reader, "permission denied")


def test_a_database_that_takes_no_changes_answers_questions_and_says_so(standby: str) -> None:
    check_both_edges(standby, "read-only transaction")
