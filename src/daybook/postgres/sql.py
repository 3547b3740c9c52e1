"""Named queries from .sql files, so that SQL is highlighted, reviewed and searched as SQL."""

import re
from pathlib import Path
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def beside(module: str, *others: str) -> dict[str, LiteralString]:
    """The queries of the .sql file beside a module, given its `__file__`, and of those beside others in its folder."""
    files = [Path(module).with_suffix(".sql"), *(Path(module).with_name(f"{other}.sql") for other in others)]
    return {name: query for file in files for name, query in load(file).items()}


def load(file: Path) -> dict[str, LiteralString]:
    """The `-- name: x` blocks of a file. They are part of the program, hence literal strings to psycopg."""
    parts = _NAME.split(file.read_text(encoding="utf-8"))
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{file}: a query name occurs twice")
    return {name: cast(LiteralString, body.strip()) for name, body in zip(names, bodies, strict=True)}
