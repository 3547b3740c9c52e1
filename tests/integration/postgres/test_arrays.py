"""Given columns of values, when they are passed as binary arrays, then Postgres reads what was written."""

import psycopg
import pytest

from daybook.ids import new_ids
from daybook.postgres.arrays import Array
from daybook.postgres.pool import connect


@pytest.mark.parametrize("texts", [[], ["a"], ["", None, 'a "quoted", \\ {one}', "żółć 椅子", "NULL"], [None]])
def test_texts_arrive_as_they_are(database: str, texts: list[str | None]) -> None:
    with connect(database, "test") as conn:
        assert conn.execute("SELECT %b::text[]", (Array.texts(texts),)).fetchone() == (texts,)


@pytest.mark.parametrize("integers", [[], [0, -1, None, 2**63 - 1, -(2**63)]])
def test_integers_arrive_as_they_are(database: str, integers: list[int | None]) -> None:
    with connect(database, "test") as conn:
        assert conn.execute("SELECT %b::bigint[]", (Array.integers(integers),)).fetchone() == (integers,)


def test_uuids_arrive_as_they_are(database: str) -> None:
    ids = new_ids(3)
    with connect(database, "test") as conn:
        (found,) = conn.execute("SELECT %b::uuid[]", (Array.uuids(ids),)).fetchone() or ((),)
    assert [one.bytes for one in found] == ids


def test_what_postgres_can_not_hold_is_refused(database: str) -> None:
    with connect(database, "test") as conn:
        with pytest.raises(psycopg.DataError):
            conn.execute("SELECT %b::text[]", (Array.texts(["a\x00b"]),))
        with pytest.raises(psycopg.DataError):
            Array.integers([2**63])
        with pytest.raises(UnicodeError):
            Array.texts(["\ud800"])
