"""A merged migration is never edited, not even its comments: every book that has it would refuse to migrate."""

import hashlib
from pathlib import Path

from daybook.postgres.migrate import LINES, files

MERGED = Path(__file__).with_name("migrations.sha256")


def test_every_migration_is_to_the_byte_what_it_was_when_it_was_merged() -> None:
    merged = {name: digest for digest, name in map(str.split, MERGED.read_text().splitlines())}
    now = {
        f"{line}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for line, package in LINES
        for path in files(package)
    }
    edited = [name for name, digest in merged.items() if now.get(name) != digest]
    assert edited == [], "restore them and write a new migration instead"
    new = [f"{digest}  {name}" for name, digest in now.items() if name not in merged]
    assert new == [], f"a new migration adds its line to {MERGED.name}"
