"""Keeps a data folder for its owner's eyes: it holds passwords, the log of every change, and what the roles wrote.

Postgres runs as another account when Daybook is root. That account has to pass the folder on its way to its own, so
for root the folder can be passed by everybody, and listed by nobody; all that is in it stays closed.
"""

import os
import stat
from pathlib import Path

_ELSEWHERE = {"postgres", "run"}
"""Postgres keeps these itself, as its own account."""


def make(data: Path) -> None:
    """Make the folder if it is missing. Raises OSError."""
    data.parent.mkdir(parents=True, exist_ok=True)
    data.mkdir(mode=_mode(), exist_ok=True)


def keep(data: Path) -> None:
    """Close the folder and what is right in it to others, also where an earlier Daybook left it open.

    A folder that others have a part in, such as /tmp or somebody's home, is left as it is; what is in it is closed.
    """
    found = data.stat()
    if found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX and data != Path.home():
        data.chmod(_mode())
    for path in data.iterdir():
        there = path.lstat()
        if there.st_uid != os.geteuid() or path.name in _ELSEWHERE or not there.st_mode & 0o077:
            continue
        if stat.S_ISDIR(there.st_mode) and path.name in _OURS:
            path.chmod(0o700)
        elif stat.S_ISREG(there.st_mode) and path.name in _OURS:
            path.chmod(0o600)


_OURS = {
    "logs",
    "nats",
    "nats.ports",
    "sandboxes",
    "lock",
    "servers.json",
    "nats.conf",
    "nats.port",
    "nats.users",
    "nats.senders",
}


def _mode() -> int:
    return 0o711 if os.geteuid() == 0 else 0o700
