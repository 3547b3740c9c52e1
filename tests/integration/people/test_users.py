"""A user is a person of the vault: the log has a login and two ids, and an erasure leaves no more than that."""

from pathlib import Path

import msgspec
import pytest

from tests.fixtures.commandline import Daybook
from tests.fixtures.people import ADA, CANARY, NOBODY, found_in_tables


@pytest.fixture
def daybook(database: str, tmp_path: Path) -> Daybook:
    return Daybook({"DAYBOOK_POSTGRES": database, "DAYBOOK_DATA": str(tmp_path)})


def test_who_a_user_is_stands_in_the_vault_and_the_user_outlives_the_erasure(daybook: Daybook, database: str) -> None:
    person = daybook.json("privacy", "add", stdin=msgspec.json.encode(ADA))["person"]
    daybook.json("user", "add", "anna", "--role", "editor", "--person", person)
    exported = daybook.json("privacy", "export", person)

    assert daybook.json("user", "show", "anna")["person"] == person
    assert f"daybook privacy show {person}" in daybook("user", "show", "anna").stdout
    assert "access.user_added.v1" in [one["type"] for one in exported["occurrences"]]

    daybook.json("privacy", "erase", person)

    assert daybook("privacy", "show", person).code == 4
    anna = daybook.json("user", "show", "anna")
    assert (anna["person"], [one["role"] for one in anna["grants"]]) == (person, ["editor"])
    assert found_in_tables(database, CANARY) == {}


def test_a_user_is_somebody_whom_the_vault_knows_by_id_and_never_by_name(daybook: Daybook) -> None:
    person = daybook.json("privacy", "add", stdin=msgspec.json.encode(ADA))["person"]

    problem = daybook.refuses(3, "invalid_value", "user", "add", "anna", "--person", ADA.name)
    assert CANARY not in problem["message"]
    daybook.refuses(3, "invalid_value", "user", "add", "anna", "--person", person.upper())
    daybook.refuses(4, "not_found", "user", "add", "anna", "--person", NOBODY)
    daybook.json("privacy", "erase", person)
    daybook.refuses(4, "gone", "user", "add", "anna", "--person", person)
