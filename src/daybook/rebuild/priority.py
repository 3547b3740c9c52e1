"""A rebuild takes the processor time that is left over: its own processes, and Postgres's where they are here."""

import os
from contextlib import suppress
from pathlib import Path

from psycopg import AsyncConnection, Connection

NICE = 10


def lower(pid: int) -> None:
    """Lowers a process, where the system lets us."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)


def lower_server(conn: "Connection[object] | AsyncConnection[object]") -> None:
    """Lowers Postgres's process of a connection when it runs on this machine; elsewhere it does nothing.

    Only over a socket of this machine, and only what calls itself a process of Postgres: a server in a container says a
    number that is another process here. What is lowered still gets a tenth of a core beside a busy one, so that a lock
    which it holds for a moment comes free.
    """
    if not conn.info.host.startswith("/"):
        return
    pid = conn.info.backend_pid
    with suppress(OSError):
        if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"postgres: "):
            lower(pid)
