"""A function's live text stands in one file of its folder of migrations, and says what it is for."""

from importlib import resources
from pathlib import Path

import psycopg

from daybook.postgres.migrate import LINES

FILES = [
    path
    for _, package in LINES
    if (path := Path(str(resources.files(package))) / "migrations" / "functions.sql").exists()
]


def functions(conn: psycopg.Connection[tuple[str, str, str | None]]) -> dict[str, tuple[str, str | None]]:
    """Signature -> text and description of every function that the migrations made."""
    rows = conn.execute(
        "SELECT oid::regprocedure::text, pg_get_functiondef(oid), obj_description(oid, 'pg_proc') FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace "
        "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')"  # of pg_trgm
    ).fetchall()
    return {signature: (text, description) for signature, text, description in rows}


def test_the_functions_are_what_the_files_say_and_each_is_described(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        made = functions(conn)
        for signature in made:
            # Renamed, not dropped: a trigger needs one of them.
            name = signature.partition("(")[0]
            conn.execute(f"ALTER FUNCTION {signature} RENAME TO former_{name}".encode())
        for file in FILES:
            conn.execute(file.read_bytes())
        written = {signature: found for signature, found in functions(conn).items() if "former_" not in signature}
    assert written == made
    assert [signature for signature, (_, description) in made.items() if not description] == []
