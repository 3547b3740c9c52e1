"""Migrations: each once, in order, by one process at a time, and never edited afterwards."""

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from daybook.errors import BadConfiguration, Unavailable
from daybook.postgres import migrate as module
from daybook.postgres.migrate import LINES, files, migrate
from tests.fixtures.logs import at_once

Line = Callable[..., Path]


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """Makes a package with these migrations the only line, and returns its folder."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(**migrations: str) -> Path:
        package = f"line_{uuid.uuid4().hex}"
        folder = tmp_path / package / "migrations"
        folder.mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
        for name, body in migrations.items():
            (folder / f"{name.removeprefix('n')}.sql").write_text(body)
        monkeypatch.setattr(module, "LINES", (("test", package),))
        return folder

    return make


def applied(dsn: str) -> list[tuple[object, ...]]:
    """What the database says was applied."""
    with psycopg.connect(dsn) as conn:
        return conn.execute("SELECT line, number, name, sha256 FROM migrations ORDER BY applied_at").fetchall()


def test_every_migration_of_every_line_is_applied_once_and_its_checksum_kept(empty_database: str) -> None:
    names = migrate(empty_database)
    again = migrate(empty_database)

    expected = [(name, path) for name, package in LINES for path in files(package)]
    assert names == [f"{name}/{path.name}" for name, path in expected]
    assert names[0] == "log/0001_log.sql"
    assert again == []
    assert applied(empty_database) == [
        (name, int(path.name[:4]), path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in expected
    ]


def test_processes_that_migrate_at_once_wait_for_each_other(empty_database: str) -> None:
    results = at_once(4, lambda _: migrate(empty_database))

    whole = [name for names in results for name in names]
    assert len(applied(empty_database)) == len(whole) == len(set(whole)), "each was applied by one of them"


def test_a_new_migration_is_applied_after_the_old_ones_which_stay(empty_database: str, line: Line) -> None:
    folder = line(n0001_a="CREATE TABLE a (x int)")
    assert migrate(empty_database) == ["test/0001_a.sql"]
    (folder / "0002_b.sql").write_text("ALTER TABLE a ADD y int; INSERT INTO a VALUES (1, 2)")

    assert migrate(empty_database) == ["test/0002_b.sql"]

    with psycopg.connect(empty_database) as conn:
        assert conn.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]


def test_a_migration_that_was_edited_after_it_was_applied_is_refused_by_name(empty_database: str, line: Line) -> None:
    folder = line(n0001_a="CREATE TABLE a (x int)")
    migrate(empty_database)
    (folder / "0001_a.sql").write_text("CREATE TABLE a (x bigint)")
    (folder / "0002_b.sql").write_text("CREATE TABLE b (x int)")

    with pytest.raises(BadConfiguration, match=r"test/0001_a\.sql was edited after it was applied.*new migration"):
        migrate(empty_database)

    assert len(applied(empty_database)) == 1


@pytest.mark.parametrize("names", [["0002_a"], ["0001_a", "0003_b"], ["0000_a", "0001_b"], ["0001_a", "0001_b"]])
def test_numbers_with_a_hole_or_a_double_are_refused_before_anything_is_applied(
    empty_database: str, line: Line, names: list[str]
) -> None:
    line(**{f"n{name}": f"CREATE TABLE t_{name} (x int)" for name in names})

    with pytest.raises(BadConfiguration, match="without a hole"):
        migrate(empty_database)

    assert applied(empty_database) == []


def test_a_migration_that_fails_leaves_nothing_of_itself_and_can_be_mended(empty_database: str, line: Line) -> None:
    folder = line(n0001_a="CREATE TABLE a (x int)", n0002_b="CREATE TABLE b (x int); SELECT nonsense")

    with pytest.raises(errors.UndefinedColumn):
        migrate(empty_database)

    assert [name for _, _, name, _ in applied(empty_database)] == ["0001_a.sql"]
    (folder / "0002_b.sql").write_text("CREATE TABLE b (x int)")
    assert migrate(empty_database) == ["test/0002_b.sql"]


def test_a_database_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="can't be reached"):
        migrate("postgresql://nobody@127.0.0.1:1/nothing")
