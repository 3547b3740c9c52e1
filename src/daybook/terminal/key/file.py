"""The owner's key of a data folder: in a file that only its user can read, so that this machine needs no ceremony."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from daybook.errors import NotFound

if TYPE_CHECKING:
    from daybook.app import App

NAME = "owner.key"
_NO_LOGIN = re.compile(r"[^a-z0-9._-]+")


def path(data: Path) -> Path:
    """Where it is."""
    return data / NAME


def read(data: Path) -> str:
    """The key. Raises NotFound with the next step."""
    try:
        return path(data).read_text(encoding="ascii").strip()
    except OSError:
        raise NotFound(
            f"there is no {path(data)}: the first `daybook up` on a folder writes it; elsewhere, or when it is gone, "
            "`daybook user add NAME --owner` or `daybook key make USER` prints a key",
            file=str(path(data)),
        ) from None


def make_first(app: App, data: Path, user: str) -> str | None:
    """Makes an owner and a key for a book that has no user, and writes it; None when there is one already."""
    if app.reader.access().users:
        return None
    from daybook.log.pending import Context
    from daybook.terminal.user.add import first_key, new_key, wished

    key = new_key()
    data.mkdir(parents=True, exist_ok=True)
    # The file first: a key that is in the log and nowhere else would be an owner whom nobody is.
    temporary = path(data).with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key + "\n")
    temporary.replace(path(data))
    command = first_key(wished(login_of(user), "owner", "person"), key, "of this machine's data folder")
    app.book.carry_out(command, Context.new(user, "cli", reason="the first start"))
    return key


def login_of(user: str) -> str:
    """The name of the operating system's user as a login."""
    name = _NO_LOGIN.sub("-", user.lower()).strip("-._")[:32]
    return name if name[:1].isalpha() else "owner"
