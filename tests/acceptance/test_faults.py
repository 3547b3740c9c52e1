"""Roles and servers are killed while changes come in: every channel shows the newest state in the end, nothing is lost.

The roles are the real program, each in a process of its own; the marketplaces are the three sandboxes.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from daybook.app import App
from daybook.channel.contract import Sandbox
from daybook.channel.registry import installed
from daybook.commands import ChangePrice, CountStock, DefineAttribute, DescribeProduct
from daybook.commands.book import Command
from daybook.commands.describe import Price
from daybook.config import Settings
from daybook.errors import Unavailable
from daybook.events import AttributeChange, AttributeDefined
from daybook.log.pending import Context
from daybook.postgres.migrate import migrate
from daybook.stream.bell import Ringer
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream
from daybook.stream.subjects import wake_log
from tests.fixtures.pipeline import ROOT, folded, listings, until
from tests.fixtures.servers import ServerPair

pytestmark = pytest.mark.long

ROLES = ("relay", "project", "deliver")
CHANNELS = ("webshop", "amazon", "bol")
PRODUCTS = 8
GTINS = ("4006381333931", "4015211100803", "8717418510749", "6291041500213", "9780201379624", "5901234123457",
         "4006381333948", "0036000291452")  # fmt: skip


class Works:
    """The servers, a process for each role, three marketplaces, and a writer that never gives up."""

    def __init__(self, servers: ServerPair) -> None:
        self.servers = servers
        self.manifests = [installed().get(name) for name in CHANNELS]
        self.boxes: dict[str, Sandbox] = {}
        self.roles: dict[str, subprocess.Popen[bytes]] = {}
        self.ringer = Ringer(servers.nats.url, wake_log())
        where = Settings(data=servers.data, postgres=servers.postgres.dsn, nats=servers.nats.url)
        self.app = App(where, appended=self.ringer.ring)

    def start(self, role: str) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
        env |= {"DAYBOOK_POSTGRES": self.servers.postgres.dsn, "DAYBOOK_NATS": self.servers.nats.url}
        env |= {"DAYBOOK_DATA": str(self.servers.data)}
        for name, box in self.boxes.items():
            env |= {f"DAYBOOK_CHANNEL_{name.upper()}_{key.upper()}": text for key, text in box.settings().items()}
        only = [] if role == "relay" else [word for name in CHANNELS for word in ("--only", name)]
        with (self.servers.data / f"{role}.log").open("ab") as log:
            self.roles[role] = subprocess.Popen(
                [sys.executable, "-m", "daybook", "run", role, *only], cwd=ROOT, env=env, stdout=log, stderr=log
            )

    def kill(self, what: str) -> None:
        """SIGKILL; starts it again at once."""
        if what == "nats":
            self.servers.nats.kill()
            self.servers.nats.restart()
        elif what == "postgres":
            self.servers.postgres.kill()
            self.servers.postgres.restart()
        else:
            self.roles[what].send_signal(signal.SIGKILL)
            self.roles[what].wait()
            self.start(what)

    async def say(self, command: Command) -> None:
        """Carries a command out, again and again under one id while Postgres is away: that is what ids are for."""
        context = Context.new("tester", "test")
        deadline = time.monotonic() + 60
        while True:
            try:
                await asyncio.to_thread(self.app.book.carry_out, command, context, repeatable=True)
            except Unavailable:
                assert time.monotonic() < deadline, "Postgres did not come back"
            else:
                return

    def logs(self) -> str:
        return "\n".join(f"--- {role}\n" + (self.servers.data / f"{role}.log").read_text()[-3000:] for role in ROLES)


@asynccontextmanager
async def works(servers: ServerPair) -> AsyncIterator[Works]:
    here = Works(servers)
    try:
        for manifest in here.manifests:
            assert manifest.sandbox is not None
            box = manifest.sandbox()
            await box.start()
            here.boxes[manifest.name] = box
        for role in ROLES:
            here.start(role)
        yield here
    finally:
        for process in here.roles.values():
            process.kill()
            process.wait()
        for box in here.boxes.values():
            await box.stop()
        await asyncio.to_thread(here.ringer.close)
        here.app.close()


def describe(n: int, price: str, stock: int) -> DescribeProduct:
    texts = {"name": f"Thing {n}", "brand": "Acme", "description": "A thing."}
    return DescribeProduct(
        sku=f"S{n}",
        kind="product",
        gtin=GTINS[n],
        attributes=tuple(AttributeChange(attribute=code, value=value) for code, value in texts.items()),
        prices=(Price(amount=price, currency="EUR"),),
        stock={"main": stock},
        channels=dict.fromkeys(CHANNELS, True),
    )


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "victims",
    [
        ("relay",),
        ("project",),
        ("deliver",),
        ("nats",),
        ("postgres",),
        ("relay", "project", "deliver", "nats", "postgres"),
    ],
    ids=["relay", "project", "deliver", "nats", "postgres", "all in a random order"],
)
async def test_what_is_killed_costs_time_and_nothing_else(servers: ServerPair, victims: tuple[str, ...]) -> None:
    migrate(servers.postgres.dsn)
    dice = random.Random(len(victims) * 7)
    order = dice.sample(victims, len(victims)) if len(victims) > 1 else list(victims) * 2

    async with works(servers) as here:
        for code in ("name", "brand", "description"):
            await here.say(DefineAttribute(attribute=AttributeDefined(code=code, type="text")))
        for n in range(PRODUCTS):
            await here.say(describe(n, "19.99", 5))
        await until(lambda: all(box.shown() for box in here.boxes.values()), "each channel shows something", 40)
        for victim in order:
            changes = [asyncio.create_task(change(here, dice, n)) for n in range(PRODUCTS)]
            await asyncio.to_thread(here.kill, victim)
            await asyncio.gather(*changes)
        for n in range(PRODUCTS):
            await here.say(describe(n, f"{30 + n}.00", 40 + n))
        await settled(here)
        check(here)
        await check_stream(here)


async def change(here: Works, dice: random.Random, n: int) -> None:
    for _ in range(4):
        await here.say(ChangePrice(sku=f"S{n}", amount=f"{dice.randrange(100, 200)}.00", currency="EUR"))
        await here.say(CountStock(sku=f"S{n}", quantity=dice.randrange(1, 30)))


async def settled(here: Works) -> None:
    """Returns once every channel has acknowledged everything and the log has stopped growing."""

    def quiet() -> bool:
        with psycopg.connect(here.servers.postgres.dsn) as conn:
            due = conn.execute("SELECT count(*) FROM deliveries WHERE state <> 'confirmed'").fetchone()
            behind = conn.execute(
                "SELECT count(*) FROM generations WHERE position < (SELECT position FROM head) "
                "OR reference_from IS NOT NULL"
            ).fetchone()
            ready = conn.execute("SELECT count(*) FROM generations").fetchone()
        return (due, behind) == ((0,), (0,)) and bool(ready and ready[0] >= len(here.boxes))

    try:
        await until(quiet, "everything is acknowledged", 150)
    except AssertionError as error:
        with psycopg.connect(here.servers.postgres.dsn) as conn:
            rows = conn.execute("SELECT channel, sku, facet, state, reasons FROM deliveries WHERE state <> 'confirmed'")
            raise AssertionError(f"{error}: {rows.fetchall()}\n{here.logs()}") from error


def check(here: Works) -> None:
    events = here.app.reader.after(0, 100_000)
    assert [one.position for one in events] == list(range(1, len(events) + 1))
    for manifest in here.manifests:
        expected = folded(manifest, events)
        assert listings(here.servers.postgres.dsn, manifest.name) == expected
        assert {sku for sku, _ in expected} == {f"S{n}" for n in range(PRODUCTS)}, "nothing is held back"
        shown = here.boxes[manifest.name].shown()
        for n in range(PRODUCTS):
            item = shown[f"S{n}"]
            assert (item["price"], item["stock"], item["title"]) == (f"{30 + n}.00", 40 + n, f"Thing {n}")
        assert len(shown) == PRODUCTS, f"{manifest.name} shows something twice: {sorted(shown)}"
    ids = Counter(one.event_id for one in events)
    assert max(ids.values()) == 1


async def check_stream(here: Works) -> None:
    """The stream is the log, number by number."""
    events = here.app.reader.after(0, 100_000)
    nats = Nats(here.servers.nats.url, "test")
    await nats.open()
    try:
        stream = Stream(nats)
        await arrived(stream, len(events))
        for one in events:
            body = await stream.message(one.position)
            assert body is not None and json.loads(body)["id"] == one.event_id
    finally:
        await nats.close()


async def arrived(stream: Stream, position: int) -> None:
    deadline = time.monotonic() + 10
    while await stream.last_sequence() != position:
        assert time.monotonic() < deadline, f"the stream is at {await stream.last_sequence()}, the log at {position}"
        await asyncio.sleep(0.01)
