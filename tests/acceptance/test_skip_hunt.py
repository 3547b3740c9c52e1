"""The skip hunt: 16 writers in 4 processes, a reader that tails the log and one that follows the stream, and everything
that has ever made a reader skip an event: a transaction held open after its positions were given, processes and the
server killed at that very moment. HUNT_EVENTS makes it longer, HUNT_SEED makes it another one.

`python -m tests.acceptance.test_skip_hunt DSN JOURNAL SEED PROCESS STEPS` is one of the processes.
"""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from daybook.audit.verify import verify
from daybook.errors import Unavailable, VersionConflict
from daybook.events import Event, StockAdjusted
from daybook.log.application import Log
from daybook.log.pending import NewEvent
from daybook.postgres.migrate import migrate
from daybook.relay.relay import Relay
from daybook.stream import cloudevents
from daybook.stream.connection import Nats
from daybook.stream.feed import Feed
from tests.fixtures.logs import context, opened, rows
from tests.fixtures.servers import ServerPair
from tests.fixtures.waiting import until

pytestmark = pytest.mark.long

EVENTS = int(os.environ.get("HUNT_EVENTS", "6000"))
SEED = int(os.environ.get("HUNT_SEED", "1"))
PROCESSES, THREADS = 4, 4
EVENTS_PER_STEP = 1.9  # on average, see `plan`
HOT_STREAMS = 6
FAULT_EVERY_EVENTS = 1000 if EVENTS <= 10_000 else 8000
ROOT = Path(__file__).resolve().parents[2]
HELD = 4711
DEADLINE_SECONDS = 60 + EVENTS / 100

HOLD_HERE = f"""
CREATE FUNCTION hold_here() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared({HELD}); RETURN NEW; END $$;
CREATE TRIGGER hold_here AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION hold_here();
"""
"""The worst place: positions are given, rows are written, nothing is committed, and more writers queue up behind."""


# The writers.


def plan(seed: int, process: int, thread: int, step: int) -> list[tuple[str, int]]:
    """What a step appends: (stream, events). A writer that was killed comes back with the same steps and ids."""
    chance = random.Random(f"{seed} {process} {thread} {step}")
    own = f"stock/own-{process}-{thread}"
    hot = f"stock/hot-{chance.randrange(HOT_STREAMS)}"
    kind = chance.random()
    if kind < 0.45:
        return [(own, 1)]
    if kind < 0.75:
        return [(hot, 1)]
    if kind < 0.9:
        return [(own, chance.randint(2, 6))]
    return [(hot, chance.randint(1, 3)), (own, chance.randint(1, 4))]


def command_id(process: int, thread: int, step: int) -> str:
    return f"{process}-{thread}-{step}"


def write(dsn: str, journal: Path, seed: int, process: int, steps: int) -> None:
    """Four threads carry out their steps, each from the first that is not in the journal."""
    done = acknowledged(journal)
    failures: list[BaseException] = []

    def work(log: Log, thread: int) -> None:
        try:
            for step in range(steps):
                name = command_id(process, thread, step)
                if name not in done:
                    first, last, conflicts = carry_out(log, name, plan(seed, process, thread, step))
                    note(journal, f"{name} {first} {last} {conflicts}\n")
        except BaseException as error:
            failures.append(error)

    with opened(dsn, THREADS) as (log, _):
        threads = [threading.Thread(target=work, args=(log, number)) for number in range(THREADS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    if failures:
        raise failures[0]


def carry_out(log: Log, name: str, wanted: list[tuple[str, int]]) -> tuple[int, int, int]:
    """Until it is in, whatever dies: the same id each time. (first, last, conflicts on the way)"""
    conflicts = 0
    while True:
        try:
            events = [
                NewEvent(stream, version + number, StockAdjusted("main", 1), stream, stream)
                for stream, amount in wanted
                for version in (log.load(stream, count)[1],)
                for number in range(1, amount + 1)
            ]
            appended = log.append(events, context(name))
            return appended.first, appended.last, conflicts
        except VersionConflict:
            conflicts += 1
        except Unavailable:
            pass


def count(state: int | None, _: Event) -> int:
    return (state or 0) + 1


def note(journal: Path, line: str) -> None:
    """One write for each line, so that a killed process leaves no half line of another thread."""
    file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def acknowledged(journal: Path) -> dict[str, tuple[int, int, int]]:
    """Command id -> (first, last, conflicts)."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    return {name: (int(first), int(last), int(fights)) for name, first, last, fights in (one.split() for one in lines)}


# The readers.


@dataclass
class Seen:
    """What a reader got, in the order in which it got it."""

    ids: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    polls: int = 0

    def take(self, position: int, event_id: str) -> None:
        if position != len(self.ids) + 1:
            self.wrong.append(f"{position} came after {len(self.ids)}")
        self.ids.append(event_id)


def tail(dsn: str, seen: Seen, stop: threading.Event) -> None:
    """Reads what is behind the last position that it has seen, as fast as it can, over every crash."""
    while not stop.is_set():
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(dsn, autocommit=True) as conn:
            while not stop.is_set():
                found = conn.execute(
                    "SELECT position, event_id::text FROM events WHERE position > %s ORDER BY position LIMIT 1000",
                    (len(seen.ids),),
                ).fetchall()
                seen.polls += 1
                for row in found:
                    seen.take(*row)
                if not found:
                    stop.wait(0.001)  # the processor is the writers' as well


async def follow(nats_url: str, seen: Seen, stop: threading.Event) -> None:
    """Reads the stream with a feed, and opens another where it stands when the server fell silent."""
    nats = Nats(nats_url, "hunt")
    await nats.open()
    try:
        while not stop.is_set():
            feed = Feed(nats)
            with contextlib.suppress(Unavailable):
                await feed.open(len(seen.ids) + 1)
                while not stop.is_set() and feed.alive:
                    for one in await feed.take(1000, 0.2):
                        seen.take(one.sequence, cloudevents.decode(one.body).event_id)
            await feed.close()
            await asyncio.sleep(0.05)
    finally:
        await nats.close()


def relay_and_follow(dsn: str, nats_url: str, seen: Seen, stop: threading.Event) -> None:
    async def main() -> None:
        ended = asyncio.Event()
        relay = asyncio.create_task(Relay(dsn, nats_url).run(ended))
        try:
            await follow(nats_url, seen, stop)
        finally:
            ended.set()
            await relay

    asyncio.run(main())


# The hunt.


class Hunt:
    def __init__(self, servers: ServerPair) -> None:
        self.servers = servers
        self.dsn = servers.postgres.dsn
        self.steps = round(EVENTS / PROCESSES / THREADS / EVENTS_PER_STEP)
        self.writers: dict[int, subprocess.Popen[bytes]] = {}
        self.tailed, self.followed = Seen(), Seen()
        self.faults: list[str] = []
        self._stop = threading.Event()
        self._failures: list[BaseException] = []

    def journal(self, process: int) -> Path:
        return self.servers.data / f"writer-{process}.journal"

    def start(self, process: int) -> None:
        command = [sys.executable, "-m", "tests.acceptance.test_skip_hunt", self.dsn, str(self.journal(process))]
        command += [str(SEED), str(process), str(self.steps)]
        env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
        with (self.servers.data / f"writer-{process}.log").open("ab") as log:
            self.writers[process] = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        def guarded(work: object, *arguments: object) -> None:
            try:
                work(*arguments)  # type: ignore[operator]
            except BaseException as error:
                self._failures.append(error)

        given = (
            (tail, self.dsn, self.tailed, self._stop),
            (relay_and_follow, self.dsn, self.servers.nats.url, self.followed, self._stop),
        )
        threads = [threading.Thread(target=guarded, args=one) for one in given]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(30)
            for writer in self.writers.values():
                if writer.poll() is None:
                    writer.send_signal(signal.SIGKILL)
                writer.wait()

    def run(self) -> None:
        """Everything is written, and faults come at every so many events."""
        chance = random.Random(SEED)
        kinds = ["hold", "kill a writer", "hold and kill a writer", "kill Postgres", "hold and kill Postgres"]
        with self.reading():
            for process in range(PROCESSES):
                self.start(process)
            due = FAULT_EVERY_EVENTS
            while self.working():
                if len(self.tailed.ids) >= due:
                    if len(self.faults) % len(kinds) == 0:
                        chance.shuffle(kinds)
                    self.fault(kinds[len(self.faults) % len(kinds)], chance.randrange(PROCESSES))
                    due = len(self.tailed.ids) + FAULT_EVERY_EVENTS
                time.sleep(0.01)
            head = self.head()
            for what, seen in (("tailing", self.tailed), ("JetStream", self.followed)):
                until(lambda seen=seen: len(seen.ids) >= head or self._failures, f"the {what} reader is at the end", 60)  # type: ignore[misc]
        assert not self._failures, self._failures

    def working(self) -> bool:
        assert not self._failures, self._failures
        codes = [one.poll() for one in self.writers.values()]
        for process, code in enumerate(codes):
            assert code in (None, 0), (self.servers.data / f"writer-{process}.log").read_text()[-2000:]
        return None in codes

    def head(self) -> int:
        with psycopg.connect(self.dsn) as conn:
            row = conn.execute("SELECT position FROM head").fetchone()
        assert row is not None
        return int(row[0])

    def fault(self, kind: str, process: int) -> None:
        self.faults.append(kind)
        with self.held() if kind.startswith("hold") else contextlib.nullcontext():
            if kind.endswith("writer"):
                self.writers[process].send_signal(signal.SIGKILL)
                self.writers[process].wait()
                self.start(process)
            if kind.endswith("Postgres"):
                self.servers.postgres.kill()
        if kind.endswith("Postgres"):
            self.servers.postgres.restart()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """A transaction stands still at the worst place inside, while the reader goes on looking."""
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute("SELECT pg_advisory_lock(%s)", (HELD,))
            waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
            until(
                lambda: not self.working() or conn.execute(waiting, (HELD,)).fetchone(),
                "a transaction is held open",
                30,
            )
            before = self.tailed.polls
            until(lambda: self.tailed.polls > before + 20, "the reader has looked meanwhile")
            yield


@pytest.mark.timeout(60 + DEADLINE_SECONDS)
def test_no_reader_skips_or_doubles_an_event_whatever_dies_and_whoever_dawdles(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)
    with psycopg.connect(servers.postgres.dsn) as conn:
        conn.execute(HOLD_HERE.encode())
    hunt = Hunt(servers)
    begun = time.monotonic()
    hunt.run()
    seconds = time.monotonic() - begun

    there = rows(hunt.dsn, "position, command_id, event_id::text")
    assert [row[0] for row in there] == list(range(1, len(there) + 1)), "positions are dense"
    assert hunt.tailed.wrong == [] and hunt.followed.wrong == []
    ids = [row[2] for row in there]
    assert hunt.tailed.ids == ids, "the tailing reader got every event once, in order"
    assert hunt.followed.ids == ids, "the stream's reader got every event once, in order"

    places: dict[str, list[int]] = {}
    for position, name, _ in there:
        places.setdefault(str(name), []).append(int(str(position)))
    acks = {name: ack for process in range(PROCESSES) for name, ack in acknowledged(hunt.journal(process)).items()}
    expected = {
        command_id(process, thread, step): sum(amount for _, amount in plan(SEED, process, thread, step))
        for process in range(PROCESSES)
        for thread in range(THREADS)
        for step in range(hunt.steps)
    }
    assert {name: len(found) for name, found in places.items()} == expected, "each command whole, once"
    assert {name: (found[0], found[-1]) for name, found in places.items()} == {n: a[:2] for n, a in acks.items()}
    conflicts = sum(one[2] for one in acks.values())
    assert conflicts > 0, "there were conflicts"
    assert {"hold", "kill Postgres", "kill a writer"} <= set(hunt.faults), hunt.faults
    found = asyncio.run(verify(hunt.dsn, servers.nats.url))
    assert (found.problem, found.messages) == (None, len(there))
    print(
        f"{len(there)} events, {len(acks)} commands, {conflicts} conflicts, {len(hunt.faults)} faults, {seconds:.1f} s"
    )


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:6]))
