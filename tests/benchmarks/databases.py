"""A Postgres of a benchmark's own, durable as in production, and databases on it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from daybook.embedded.postgres import PostgresServer
from daybook.embedded.servers import Servers, forget
from daybook.postgres.migrate import migrate

TEMPLATE = "migrated"


@contextmanager
def server() -> Iterator[PostgresServer]:
    """The server, gone with all its data at the end. It has the database `migrated`, to be copied."""
    with tempfile.TemporaryDirectory(prefix="daybook-bench-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # the account that Postgres runs under has to get in
        with Servers.start(data, nats="nats://not-needed") as servers:
            assert servers.postgres is not None
            run(servers.postgres.dsn_of("postgres"), f"CREATE DATABASE {TEMPLATE}")
            migrate(servers.postgres.dsn_of(TEMPLATE))
            yield servers.postgres
        forget(data)


@contextmanager
def database(on: PostgresServer, name: str, template: str = TEMPLATE) -> Iterator[str]:
    """A copy of a database, dropped at the end; its DSN."""
    run(on.dsn_of("postgres"), f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy", "CHECKPOINT")
    try:
        yield on.dsn_of(name)
    finally:
        run(on.dsn_of("postgres"), f"DROP DATABASE {name} WITH (FORCE)")


def run(dsn: str, *statements: str) -> None:
    """Statements of the benchmark's own, each in a transaction of its own."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        for one in statements:
            conn.execute(one.encode())


def value(dsn: str, question: str) -> int:
    """The one number that a question gives."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(question.encode()).fetchone()
    assert row is not None
    return int(row[0])


class Cpu:
    """Seconds of processor time that the server's processes use: says more than a rate where others are busy too.

    A backend that ended takes its time with it, so the connections have to stay open from `Cpu()` to `seconds()`.
    """

    def __init__(self, on: PostgresServer) -> None:
        self._postmaster = psutil.Process(on.pid)
        self._before = self._now()

    def seconds(self) -> float:
        """Since this object was made."""
        after = self._now()
        return sum(used - self._before.get(pid, 0.0) for pid, used in after.items())

    def _now(self) -> dict[int, float]:
        found: dict[int, float] = {}
        for process in (self._postmaster, *self._postmaster.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            found[process.pid] = times.user + times.system
        return found
