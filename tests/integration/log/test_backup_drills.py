"""Backup and restore, drilled: the commands of docs/how-to/back-up-and-restore.md, on a book with a channel.

After a restore to an earlier moment the stream has events that the log has never heard of. The relay refuses it, the
reset removes it, and the channel gets nothing twice that the restored book knows.
"""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from daybook.commands import ChangePrice
from daybook.embedded import binaries
from daybook.errors import StreamAhead
from daybook.postgres.migrate import migrate
from daybook.relay.relay import Relay
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.commandline import Daybook
from tests.fixtures.logs import rows
from tests.fixtures.pipeline import ROOT, Pipeline, listings, product
from tests.fixtures.pipeline import until as async_until
from tests.fixtures.servers import ServerPair
from tests.fixtures.waiting import until

pytestmark = pytest.mark.long

PAGE = ROOT / "docs" / "how-to" / "back-up-and-restore.md"


def script(name: str) -> str:
    """The page's block of shell that begins with this comment."""
    found = re.search(rf"^```sh\n# {re.escape(name)}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"the page has no block `# {name}`"
    return found.group(1)


class Operator:
    """A person at a shell on the server's machine, under the account that the server runs under."""

    def __init__(self, servers: ServerPair) -> None:
        self.servers = servers
        self.dsn = servers.postgres.dsn
        self.cluster = servers.data / "postgres"
        self.uid, self.gid = self.cluster.stat().st_uid, self.cluster.stat().st_gid
        self.backups = servers.data / "backups"
        self.backups.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self.backups, self.uid, self.gid)
        # Root's embedded server runs from a copy of the programs that its account can reach.
        program = Path(f"/proc/{servers.postgres.pid}/exe")
        self.programs = program.resolve().parent if os.geteuid() == 0 else binaries.postgres_install() / "bin"
        self.daybook = Daybook(
            {
                "DAYBOOK_POSTGRES": self.dsn,
                "DAYBOOK_NATS": servers.nats.url,
                "DAYBOOK_ERASED_FILE": str(servers.data / "erased-people"),
            }
        )
        self.people: list[str] = []
        """One who stays, and one who is erased after the backup."""

    def run(self, name: str, *, as_root: bool = False, **variables: object) -> None:
        """A block of the page, in the folder of the backups."""
        other = os.geteuid() == 0 and not as_root
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script(name)],
            cwd=self.backups,
            env={
                "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
                "DAYBOOK_POSTGRES": self.dsn,
                "ADMIN": self.servers.postgres.dsn_of("postgres"),
                **{key: str(value) for key, value in variables.items()},
            },
            user=self.uid if other else None,
            group=self.gid if other else None,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{name}\n{done.stdout}{done.stderr}"

    def says(self, name: str) -> None:
        """The `daybook` lines of a block; each must do."""
        with contextlib.chdir(self.backups):
            for line in re.findall(r"^daybook (.+)$", script(name), re.MULTILINE):
                answer = self.daybook(*line.split())
                assert answer.code == 0, (line, answer.stderr)

    def add_people(self) -> None:
        """Two people are known when the backup is made."""
        for name in ("Ada", "Eve"):
            self.people.append(self.daybook.json("privacy", "add", stdin=f'{{"name": "{name}"}}'.encode())["person"])

    def erase_one(self) -> None:
        """The second one asks to be forgotten, after the backup."""
        assert self.daybook.json("privacy", "erase", self.people[1])["position"]

    def knows_who_is_to_be_known(self) -> None:
        """The restored book has the one, and not the other whom the backup had."""
        kept, erased = self.people
        assert self.daybook.json("privacy", "show", kept)["known"] == {"name": "Ada"}
        assert self.daybook("privacy", "show", erased).code == 4
        assert self.ask("SELECT count(*) FROM daybook_keys.person_keys") == 1
        assert self.ask("SELECT count(*) FROM sealed_people") == 1
        assert self.ask("SELECT count(*) FROM events WHERE type = 'person.erased.v1'") == 1

    def ask(self, question: str) -> object:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            row = conn.execute(question.encode()).fetchone()
        return row and row[0]


@asynccontextmanager
async def shop(servers: ServerPair, sandbox: ToySandbox, *, relay: bool = True) -> AsyncIterator[Pipeline]:
    async with Pipeline(servers.postgres.dsn, servers.nats.url, toy()) as pipeline:
        if relay:
            pipeline.relay()
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        yield pipeline


async def live(operator: Operator, sandbox: ToySandbox, back_up: Callable[[], None]) -> None:
    """Two products and two people, a backup, and changes after it that the restored book will not know."""
    servers = operator.servers
    async with shop(servers, sandbox) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("B"))
        await pipeline.level()
        await asyncio.to_thread(operator.add_people)
        await asyncio.to_thread(back_up)
        await asyncio.to_thread(operator.erase_one)
        await pipeline.carry_out(ChangePrice(sku="A", amount="99.00", currency="EUR"), product("C"))
        await pipeline.level()


async def refused(servers: ServerPair) -> None:
    with pytest.raises(StreamAhead, match="daybook failover"):
        await Relay(servers.postgres.dsn, servers.nats.url).run(asyncio.Event())


async def level_again(operator: Operator, sandbox: ToySandbox, sent: list[tuple[str, str]], ids: list[object]) -> None:
    """Everything works on the restored book, and what it knew to be on the channel was not sent again."""
    servers = operator.servers
    async with shop(servers, sandbox) as pipeline:
        await pipeline.level()
        await pipeline.caught_up()
        assert [one[:2] for one in sandbox.writes] == sent, "nothing was sent again"
        assert pipeline.listings() == pipeline.folded(), "the listings are the restored log's"
        await pipeline.carry_out(ChangePrice(sku="B", amount="3.00", currency="EUR"))
        await pipeline.level()
        assert [one[:2] for one in sandbox.writes[len(sent) :]] == [("PATCH", "B")]
        await pipeline.carry_out(product("C"), ChangePrice(sku="A", amount="5.00", currency="EUR"))
        await pipeline.level()
        assert sandbox.offers["A"]["price"] == {"price": 500} and "C" in sandbox.offers
    assert [row[0] for row in rows(operator.dsn, "event_id::text")][: len(ids)] == ids, "the history is the old one"


async def test_a_dump_restored_to_an_earlier_moment(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)
    operator = Operator(servers)
    before: list[object] = []

    def back_up() -> None:
        operator.run("dump")
        before.extend(row[0] for row in rows(operator.dsn, "event_id::text"))

    sandbox = ToySandbox()
    await sandbox.start()
    await live(operator, sandbox, back_up)
    assert len(rows(operator.dsn)) > len(before)
    sent = [one[:2] for one in sandbox.writes]

    operator.run("dump the keys")
    operator.run("restore the dump")

    assert [row[0] for row in rows(operator.dsn, "event_id::text")] == before
    await refused(servers)
    await asyncio.to_thread(operator.says, "level again")
    (kept,) = operator.backups.glob("lost-events-*.jsonl")
    assert b"product.price_changed.v1" in kept.read_bytes(), "what the backup had not is kept"
    await asyncio.to_thread(operator.knows_who_is_to_be_known)
    await level_again(operator, sandbox, sent, before)
    await sandbox.stop()
    superuser = servers.postgres.dsn_of("daybook")
    with psycopg.connect(superuser, autocommit=True) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SET session_replication_role = replica")
        conn.execute("DELETE FROM events")
    assert (await asyncio.to_thread(operator.daybook.json, "log", "verify"))["problem"] is None
    assert operator.ask("SELECT count(*) FROM price_history('A')") == 2
    assert operator.ask("SELECT count(*) FROM changed_today") != 0


async def test_a_base_backup_rolled_forward_to_a_moment(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)
    operator = Operator(servers)
    before: list[object] = []
    moment: list[object] = []
    operator.run("base backup")

    def wait() -> None:
        moment.append(operator.ask("SELECT clock_timestamp()"))
        before.extend(row[0] for row in rows(operator.dsn, "event_id::text"))

    sandbox = ToySandbox()
    await sandbox.start()
    await live(operator, sandbox, wait)
    sent = [one[:2] for one in sandbox.writes]

    servers.postgres.stop()
    operator.run("restore the base backup", as_root=True, CLUSTER=operator.cluster, MOMENT=moment[0])
    servers.postgres.restart()
    await asyncio.to_thread(until, lambda: operator.ask("SELECT NOT pg_is_in_recovery()"), "the server has recovered")

    assert [row[0] for row in rows(operator.dsn, "event_id::text")] == before
    await refused(servers)
    await asyncio.to_thread(operator.says, "level again")
    await asyncio.to_thread(operator.knows_who_is_to_be_known)
    await level_again(operator, sandbox, sent, before)
    await sandbox.stop()
    assert (await asyncio.to_thread(operator.daybook.json, "log", "verify"))["problem"] is None
    shutil.rmtree(f"{operator.cluster}.broken")


async def test_a_runner_that_starts_before_the_reset_believes_the_log_and_not_the_stream(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)
    operator = Operator(servers)

    sandbox = ToySandbox()
    await sandbox.start()
    await live(operator, sandbox, lambda: operator.run("dump"))
    operator.run("dump the keys")
    operator.run("restore the dump")
    async with Pipeline(servers.postgres.dsn, servers.nats.url, toy()) as pipeline:
        begun = datetime.now(UTC)
        pipeline.runner()
        await async_until(lambda: pipeline.status().last_progress > begun, "the runner has looked at the stream")
        await asyncio.to_thread(operator.says, "level again")
        await pipeline.carry_out(product("D"))
        pipeline.relay()
        await pipeline.caught_up(8)
        assert pipeline.listings() == pipeline.folded()
        assert {sku for sku, _ in listings(pipeline.dsn, "toy")} == {"A", "B", "D"}
    await sandbox.stop()
