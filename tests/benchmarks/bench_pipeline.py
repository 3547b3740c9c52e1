"""How long a change takes: committed -> in the listings -> called out at the marketplace, at a steady rate.

Every role is a process of its own, as in production, with all three channels; the marketplaces are the sandboxes in one
more process. The webshop is the one that is measured. Beside it, in the same run: one plain INSERT with its disk sync,
and one plain NATS message there and back.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nats
import psutil
import psycopg

from daybook.app import App
from daybook.channel.registry import installed
from daybook.channel.sandbox import SandboxServer
from daybook.commands import ChangePrice, DefineAttribute, DescribeProduct
from daybook.commands.describe import Price
from daybook.config import Settings
from daybook.embedded.nats import NatsServer
from daybook.embedded.postgres import PostgresServer
from daybook.embedded.servers import forget
from daybook.events import AttributeChange, AttributeDefined
from daybook.log.pending import Context
from daybook.postgres.migrate import migrate
from daybook.stream.bell import Ringer
from daybook.stream.subjects import wake_log
from tests.benchmarks.report import Figure, arguments, report

CHANNELS = ("webshop", "amazon", "bol")
MEASURED = "webshop"
PRODUCTS = 400
CHANGES_PER_SECOND = 100
WARM_SECONDS = 2.0
LISTED_MS_MAX, CALLED_MS_MAX = 15.0, 40.0


@contextmanager
def servers() -> Iterator[tuple[Path, PostgresServer, NatsServer]]:
    """A pair of servers of this run's own."""
    data = Path(tempfile.mkdtemp(prefix="daybook-bench-"))
    data.chmod(0o711)
    with PostgresServer.start(data) as postgres, NatsServer.start(data) as server:
        yield data, postgres, server
    forget(data)
    subprocess.run(["rm", "-rf", str(data)], check=True)


@contextmanager
def sandboxes() -> Iterator[tuple[dict[str, dict[str, str]], "subprocess.Popen[str]"]]:
    """The marketplaces in a process of their own: their settings, and the process that tells what it got."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_pipeline", "--sandboxes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), process
        finally:
            process.kill()


@contextmanager
def roles(
    settings: dict[str, dict[str, str]], data: Path, postgres: PostgresServer, server: NatsServer
) -> Iterator[dict[str, int]]:
    """The program's processes, and their ids."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    env |= {"DAYBOOK_POSTGRES": postgres.dsn, "DAYBOOK_NATS": server.url, "DAYBOOK_DATA": str(data)}
    for name, given in settings.items():
        env |= {f"DAYBOOK_CHANNEL_{name.upper()}_{key.upper()}": text for key, text in given.items()}
    running = {}
    with (data / "roles.log").open("ab") as log:
        for role in ("relay", "project", "deliver"):
            only = [] if role == "relay" else [word for name in CHANNELS for word in ("--only", name)]
            running[role] = subprocess.Popen(
                [sys.executable, "-m", "daybook", "run", role, *only], env=env, stdout=log, stderr=log
            )
    try:
        yield {name: one.pid for name, one in running.items()}
    finally:
        for one in running.values():
            one.terminate()
        for one in running.values():
            one.wait(20)


async def _marketplaces() -> None:
    boxes: dict[str, Any] = {}
    for manifest in (installed().get(name) for name in CHANNELS):
        assert manifest.sandbox is not None
        boxes[manifest.name] = manifest.sandbox()
        await boxes[manifest.name].start()
    print(json.dumps({name: box.settings() for name, box in boxes.items()}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    measured: SandboxServer = boxes[MEASURED]
    called = {
        member["regular_price"]: one.at
        for one in measured.received
        if isinstance(one.body, dict)
        for member in (one.body, *one.body.get("update", ()))  # alone, or with others in one request
        if "regular_price" in member
    }
    print(json.dumps(called), flush=True)


class Eye:
    """Watches the checkpoint of the measured channel: when was each position in its listings?"""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.seen: list[tuple[int, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as conn:
            while not self._stop.wait(0.003):
                row = conn.execute(
                    "SELECT position FROM generations WHERE projection = %s", (MEASURED,), prepare=True
                ).fetchone()
                if row and (not self.seen or row[0] > self.seen[-1][0]):
                    self.seen.append((row[0], time.time()))

    def reached(self, position: int) -> bool:
        return bool(self.seen) and self.seen[-1][0] >= position


def fill(app: App) -> None:
    """The catalogue that is changed later."""
    for code in ("name", "brand"):
        app.book.carry_out(DefineAttribute(attribute=AttributeDefined(code=code, type="text")), Context.new("b", "b"))
    for n in range(PRODUCTS):
        product = DescribeProduct(
            sku=f"S{n}",
            kind="product",
            attributes=tuple(AttributeChange(attribute=code, value=f"{code} {n}") for code in ("name", "brand")),
            prices=(Price(amount="5.00", currency="EUR"),),
            stock={"main": 5},
            channels=dict.fromkeys(CHANNELS, True),
        )
        app.book.carry_out(product, Context.new("b", "b"))


def change(app: App, seconds: float) -> list[tuple[str, int, float]]:
    """(price, position, time of commit) of each change, at a steady rate."""
    done: list[tuple[str, int, float]] = []
    started = time.monotonic()
    for n in range(int(seconds * CHANGES_PER_SECOND)):
        time.sleep(max(0.0, started + n / CHANGES_PER_SECOND - time.monotonic()))
        price = f"{10 + n // 100}.{n % 100:02d}"
        result = app.book.carry_out(
            ChangePrice(sku=f"S{n % PRODUCTS}", amount=price, currency="EUR"), Context.new("b", "b")
        )
        assert result.last is not None
        done.append((price, result.last, time.time()))
    return done


def quiet(dsn: str, channels: Sequence[str]) -> None:
    """Returns once everything is in the listings and at the measured channel."""
    deadline = time.monotonic() + 120
    with psycopg.connect(dsn, autocommit=True) as conn:
        while time.monotonic() < deadline:
            row = conn.execute(
                "SELECT count(*) FILTER (WHERE position = (SELECT position FROM head)), "
                "(SELECT count(*) FROM deliveries WHERE channel = ANY(%s) AND state = 'due') FROM generations",
                (list(channels),),
            ).fetchone()
            if row is not None and row[0] >= len(channels) and row[1] == 0:
                return
            time.sleep(0.05)
    raise TimeoutError("the channels did not come to rest")


def raw_commit(dsn: str, amount: int = 200) -> list[float]:
    """One small INSERT, committed to the disk."""
    times = []
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE raw (n int, t text)")
        for n in range(amount):
            started = time.perf_counter()
            conn.execute("INSERT INTO raw VALUES (%s, %s)", (n, "x" * 300), prepare=True)
            times.append((time.perf_counter() - started) * 1000)
    return times


async def raw_nats(url: str, amount: int = 300) -> list[float]:
    """One plain message, published and received."""
    times: list[float] = []
    client = await nats.connect(url)
    heard: asyncio.Queue[float] = asyncio.Queue()

    async def hear(_: object) -> None:
        heard.put_nowait(time.perf_counter())

    await client.subscribe("bench.raw", cb=hear)
    for _ in range(amount):
        started = time.perf_counter()
        await client.publish("bench.raw", b"x" * 400)
        times.append((await heard.get() - started) * 1000)
    await client.close()
    return times


def percentile(values: Sequence[float], share: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def measure(seconds: float) -> list[Figure]:
    """One run."""
    with servers() as (data, postgres, server), sandboxes() as (settings, process):
        migrate(postgres.dsn)
        commits, hops = raw_commit(postgres.dsn), asyncio.run(raw_nats(server.url))
        ringer = Ringer(server.url, wake_log())
        app = App(Settings(data=data, postgres=postgres.dsn, nats=server.url), appended=ringer.ring)
        with roles(settings, data, postgres, server) as pids:
            fill(app)
            quiet(postgres.dsn, list(settings))
            eye = Eye(postgres.dsn)
            pids = {"writer": os.getpid(), "marketplaces": process.pid, "nats": server.pid} | pids
            before = {name: cpu(pid) for name, pid in pids.items()} | {"postgres": family(postgres.pid)}
            began = time.monotonic()
            done = change(app, WARM_SECONDS + seconds)[int(WARM_SECONDS * CHANGES_PER_SECOND) :]
            after = {name: cpu(pid) for name, pid in pids.items()} | {"postgres": family(postgres.pid)}
            busy = {name: 100 * (after[name] - before[name]) / (time.monotonic() - began) for name in after}
            quiet(postgres.dsn, list(settings))
            eye.close()
        ringer.close()
        app.close()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        called: dict[str, float] = json.loads(process.stdout.readline())
    shares = [Figure(f"busy: {name}", share, "% of a core") for name, share in busy.items()]
    return [*figures(done, eye.seen, called, commits, hops), *shares]


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def family(pid: int) -> float:
    """The same for a process and its children."""
    return cpu(pid) + sum(cpu(child.pid) for child in psutil.Process(pid).children())


def figures(
    done: Sequence[tuple[str, int, float]],
    seen: Sequence[tuple[int, float]],
    called: dict[str, float],
    commits: Sequence[float],
    hops: Sequence[float],
) -> list[Figure]:
    listed, calls, at = [], [], iter(seen)
    position, moment = next(at)
    for price, last, committed in done:
        while position < last:
            position, moment = next(at)
        listed.append(max(0.0, moment - committed) * 1000)
        if price in called:
            calls.append((called[price] - committed) * 1000)
    commit, hop = percentile(commits, 50), percentile(hops, 50)
    limit = {"at_most": True}
    return [
        Figure("changes a second", len(done) / (done[-1][2] - done[0][2]), "/s"),
        Figure("committed -> listed, p50", percentile(listed, 50), "ms", LISTED_MS_MAX, commit + hop, **limit),
        Figure("committed -> listed, p99", percentile(listed, 99), "ms", None, percentile(commits, 99)),
        Figure("committed -> called, p50", percentile(calls, 50), "ms", CALLED_MS_MAX, 2 * commit + hop, **limit),
        Figure("committed -> called, p99", percentile(calls, 99), "ms"),
        Figure("changes that were called out", 100 * len(calls) / len(done), "%"),
        Figure("baseline: one INSERT committed, p50", commit, "ms"),
        Figure("baseline: one NATS message received, p50", hop, "ms"),
    ]


def main() -> None:
    parser = arguments("committed -> listed -> called, at a steady rate")
    parser.add_argument("--sandboxes", action="store_true", help="(inside) be the marketplaces")
    given = parser.parse_args()
    if given.sandboxes:
        asyncio.run(_marketplaces())
        return
    report("pipeline", measure(4.0 if given.quick else 20.0), given.json)


if __name__ == "__main__":
    main()
