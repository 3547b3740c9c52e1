"""Noticing a server that hangs: a statement that nobody answers is given up when a new client gets no answer either.

A statement may take long: a rebuild copies for minutes, an index is built, a lock is waited for. So no clock alone ends
it. Only a server that is stopped, or whose machine or network is gone, does not even answer a new client.

Hazard: neither keepalives nor `tcp_user_timeout` notice a process that is stopped (SIGSTOP, a frozen machine that still
has its network): the kernel goes on acknowledging for it.
"""

import threading
import time
from typing import TypeVar

import psycopg
from psycopg.abc import PQGen

from daybook.postgres.places import PostgresPlace

SILENT_SECONDS = 2.0
"""So long may a statement take before it is looked whether the server lives."""
ANSWER_SECONDS = 2.0
TRIES = 2
"""A machine that is short of everything gets a second chance."""

_Result = TypeVar("_Result")


class _Probe:
    """Asks in a thread of its own whether the server answers."""

    def __init__(self, place: PostgresPlace) -> None:
        self.alive: bool | None = None
        self._place = place
        threading.Thread(target=self._ask, name="daybook-probe", daemon=True).start()

    def _ask(self) -> None:
        self.alive = any(self._place.answers(ANSWER_SECONDS) for _ in range(TRIES))


class ServerHangs(psycopg.OperationalError):
    """The server answers nobody. What it was asked to do may have been done, or be done when it goes on."""


def watched(statement: PQGen[_Result], place: PostgresPlace) -> PQGen[_Result]:
    """The same statement of the driver, which fails once its server hangs. Raises ServerHangs.

    The driver calls it whenever something arrived, and ten times a second while nothing does.
    """
    since: float | None = None
    probe: _Probe | None = None
    try:
        awaited = next(statement)
        while True:
            ready = yield awaited
            if ready:
                since = probe = None
            else:
                now = time.monotonic()
                since = since or now
                if probe is not None and probe.alive:
                    since, probe = now, None
                elif place.hung or (probe is not None and probe.alive is False):
                    place.note_hung()
                    raise ServerHangs(
                        f"the server {place.name} hangs: it has not answered for {now - since:.0f} s, nor does it "
                        "answer a new client"
                    )
                elif probe is None and now - since > SILENT_SECONDS:
                    probe = _Probe(place)
            awaited = statement.send(ready)
    except StopIteration as end:
        result: _Result = end.value
        return result
