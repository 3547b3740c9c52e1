"""People over HTTP and on the command line: the same abilities under the same names."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.people.person import Person
from tests.fixtures.commandline import Daybook
from tests.fixtures.owner import client_of
from tests.fixtures.people import ADA, CANARY, NOBODY, people_on

PEOPLE = "/api/v1/people"
BODY: dict[str, Any] = json.loads(msgspec.json.encode(ADA))


@pytest.fixture
def client(database: str) -> Iterator[TestClient[Litestar]]:
    with people_on(database) as app, client_of(app) as client:
        yield client


@pytest.fixture
def daybook(database: str, tmp_path: Path) -> Daybook:
    return Daybook({"DAYBOOK_POSTGRES": database, "DAYBOOK_ERASED_FILE": str(tmp_path / "erased-people")})


def test_over_http_a_person_is_added_changed_shown_exported_and_erased(client: TestClient[Litestar]) -> None:
    added = client.post(PEOPLE, json=BODY, headers={"Idempotency-Key": "one"})
    where = added.headers["Location"]
    again = client.post(PEOPLE, json=BODY, headers={"Idempotency-Key": "one"})
    changed = client.patch(where, json={"phone": None}, headers={"If-Match": added.headers["ETag"]})
    late = client.patch(where, json={"phone": "+1"}, headers={"If-Match": added.headers["ETag"]})
    shown = client.get(where, headers={"X-Actor": "clerk", "X-Reason": "she asked"})
    exported = client.get(f"{where}/export")
    erased, twice = client.delete(where), client.delete(where)

    assert (added.status_code, again.status_code, again.json()) == (201, 201, added.json())
    assert (again.headers["Idempotent-Replayed"], where) == ("true", f"{PEOPLE}/{added.json()['person']}")
    assert (changed.status_code, changed.json()["version"], late.status_code) == (200, 2, 412)
    known = {name: value for name, value in BODY.items() if name != "phone"}
    assert shown.json() == {"person": added.json()["person"], "version": 2, "known": known}
    assert [one["type"] for one in exported.json()["occurrences"]] == [
        "person.added.v1",
        "person.changed.v1",
        "person.disclosed.v1",
    ]
    assert {answer.headers["Cache-Control"] for answer in (added, changed, shown, exported, erased)} == {"no-store"}
    assert (erased.json()["already"], twice.json()["already"]) == (False, True)
    for gone in (client.get(where), client.get(f"{where}/export"), client.patch(where, json={})):
        assert (gone.status_code, gone.json()["code"]) == (410, "gone")
    assert client.delete(f"{PEOPLE}/{NOBODY}").status_code == 404
    assert client.get(f"{PEOPLE}/ada").status_code == 422


def test_the_log_over_http_tells_of_people_by_id_and_field(client: TestClient[Litestar]) -> None:
    person = client.post(PEOPLE, json=BODY).json()["person"]

    found = client.get("/api/v1/events").text

    assert person in found and "address" in found and CANARY not in found


def test_on_the_command_line_values_come_from_a_file_and_nothing_else_needs_them(
    daybook: Daybook, tmp_path: Path
) -> None:
    file = tmp_path / "ada.json"
    file.write_bytes(msgspec.json.encode(ADA))
    added = daybook.json("privacy", "add", "--from", file, "--command-id", "one")
    again = daybook.json("privacy", "add", "--from", file, "--command-id", "one")
    person = added["person"]
    changed = daybook.json("privacy", "change", person, stdin=b'{"mail": null}')
    shown = daybook("privacy", "show", person, "--reason", "she asked")
    exported = daybook("privacy", "export", person)
    erased = daybook("privacy", "erase", person, "--reason", "request 7")
    twice = daybook("privacy", "erase", person)

    assert again == added | {"repeated": True} and (changed["version"], changed["changed"]) == (2, True)
    assert f"name     {ADA.name}" in shown.stdout and "mail" not in shown.stdout and "1011 AB Amsterdam" in shown.stdout
    assert json.loads(exported.stdout)["known"]["name"] == ADA.name
    assert erased.stdout.startswith(f"erased person {person}, at position 5") and "erased before" in twice.stdout
    assert (tmp_path / "erased-people").read_text() == f"{person}\n"
    daybook.refuses(4, "gone", "privacy", "show", person)
    daybook.refuses(4, "not_found", "privacy", "erase", NOBODY)
    daybook.refuses(3, "invalid_value", "privacy", "show", "ada")
    assert "nothing to do: 1 people were erased" in daybook("privacy", "replay").stdout


@pytest.mark.parametrize(
    "given", [b"", b"{", b'{"name": 1}', b'{"nick": "Serinuscanaria"}', b'{"name": "Serinuscanaria\\n"}']
)
def test_what_can_not_be_read_is_refused_without_being_told(daybook: Daybook, given: bytes) -> None:
    answer = daybook("--json", "privacy", "add", stdin=given)

    assert (answer.code, answer.problem["code"], daybook.head()) == (3, "invalid_value", 0)
    assert CANARY not in answer.stderr


def test_migrate_erases_again_whom_a_restore_brought_back_and_says_so(
    daybook: Daybook, database: str, tmp_path: Path
) -> None:
    person = daybook.json("privacy", "add", stdin=msgspec.json.encode(Person(name="Ada")))["person"]
    (tmp_path / "erased-people").write_text(f"{person}\n")

    said = daybook("migrate")

    assert "1 people who had been erased were erased again: 1 had a key, 1 erasures were not in the log" in said.stderr
    daybook.refuses(4, "gone", "privacy", "show", person)
    assert daybook("migrate").stderr == ""


def test_keys_are_sealed_anew_after_the_master_key_was_changed(daybook: Daybook, database: str) -> None:
    old, new = ("A" * 43 + "=", "B" * 42 + "A=")
    daybook.environ["DAYBOOK_MASTER_KEY"] = old
    person = daybook.json("privacy", "add", stdin=msgspec.json.encode(ADA))["person"]
    daybook.environ["DAYBOOK_MASTER_KEY"] = f"{new}\n{old}"
    assert daybook.json("privacy", "rewrap") == {"rewrapped": 1}
    assert daybook.json("privacy", "rewrap") == {"rewrapped": 0}
    daybook.environ["DAYBOOK_MASTER_KEY"] = new

    assert daybook.json("privacy", "show", person)["known"]["name"] == ADA.name
    with psycopg.connect(database) as conn:
        ((kept,),) = conn.execute("SELECT octet_length(key) FROM daybook_keys.person_keys").fetchall()
    assert kept == 12 + 32 + 16
    daybook.environ.pop("DAYBOOK_MASTER_KEY")
    daybook.refuses(7, "bad_configuration", "privacy", "show", person)
