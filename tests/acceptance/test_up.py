"""`daybook up` as a person runs it: one process that runs everything, and other calls of the program beside it."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from daybook.embedded import processes
from daybook.embedded.servers import Servers
from tests.fixtures.waiting import until

pytestmark = pytest.mark.long

EAN = "4006381333931"


class Program:
    """The program on one data folder, called as a process."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "daybook", *map(str, arguments), "--data", str(self.data), "--json"]

    def __call__(self, *arguments: object) -> Any:
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=60, check=False, cwd=self.data
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def up(self, *options: object) -> Iterator[tuple["subprocess.Popen[str]", Any]]:
        """`daybook up` until the end of the block, and what it said when it was ready."""
        log = self.data.with_suffix(".stderr")
        with (
            log.open("w") as err,
            subprocess.Popen(self.command("up", *options), stdout=subprocess.PIPE, stderr=err, text=True) as child,
        ):
            try:
                assert child.stdout is not None
                said = child.stdout.readline()
                assert said, log.read_text()
                yield child, json.loads(said)
            finally:
                child.terminate()
                try:
                    child.wait(60)
                except subprocess.TimeoutExpired:
                    child.kill()
        log.unlink()

    def processes(self) -> list[psutil.Process]:
        """Everything that runs on the data folder."""
        return [
            one for one in psutil.process_iter(["cmdline"]) if str(self.data) in " ".join(one.info["cmdline"] or ())
        ]


@pytest.fixture
def program(data_folder: Path) -> Program:
    inner = data_folder / "data"
    inner.mkdir(mode=0o711)
    return Program(inner)


def get(url: str, key: str | None = None) -> Any:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        return json.loads(answer.read())


def test_a_product_reaches_a_channel_roles_come_back_and_sigterm_ends_everything(program: Program) -> None:
    with program.up("--port", 0, "--sandboxes", "--channels", "bol") as (child, said):
        assert (said["data"], list(said["sandboxes"])) == (str(program.data), ["bol"])

        program("product", "create", "SKU-1")
        program("product", "gtin", "SKU-1", EAN)
        program("product", "stock", "SKU-1", "count", 5)
        program("product", "price", "SKU-1", "19.99", "EUR")
        program("product", "list", "SKU-1", "bol")
        shop = f"{said['sandboxes']['bol']}/_sandbox/shown"
        until(lambda: "SKU-1" in get(shop), "bol shows the product", 60)
        until(lambda: program("channel", "show", "bol")["status"]["level"], "bol is level", 60)
        facets = program("channel", "listing", "SKU-1", "--attempts")
        assert {(one["facet"], one["acknowledged"]) for one in facets["channels"]["bol"]} == {
            ("offer", True),
            ("price", True),
            ("stock", True),
        }
        assert facets["attempts"]["bol"]
        assert [one["name"] for one in program("channel", "list")] == ["bol"]
        assert stat.S_IMODE(Path(said["key_file"]).stat().st_mode) == 0o600
        assert program("key", "local")["key"] == said["key"]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get(f"{said['url']}/api/v1/products/SKU-1")
        assert get(f"{said['url']}/api/v1/products/SKU-1", said["key"])["prices"][0]["amount"] == "19.99"
        assert get(f"{said['url']}/health/ready")["ready"] is True
        assert who_works(program.data) == {
            f"daybook_{role}" for role in ("append", "relay", "project", "deliver", "clock")
        }

        def roles() -> dict[str, int]:
            """Role -> process."""
            running = {one: one.cmdline() for one in child_processes(child)}
            return {
                line[line.index("run") + 1]: one.pid for one, line in running.items() if "run" in line and "-m" in line
            }

        before = roles()
        assert set(before) == {"relay", "project", "deliver", "intake", "clock", "api"}
        for name in ("relay", "project", "deliver"):
            os.kill(before[name], signal.SIGKILL)
        program("product", "price", "SKU-1", "17.99", "EUR", "--reason", "sale")
        until(lambda: set(roles()) == set(before), "every role runs again", 60)
        until(lambda: "17.99" in json.dumps(get(shop)), "bol shows the new price", 60)
        assert all(roles()[name] != before[name] for name in ("relay", "project", "deliver"))

        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
        assert program.processes() == []

    history = program("product", "history", "SKU-1")  # with servers of its own: nothing runs any more
    assert (history[-1]["sentence"], history[-1]["reason"]) == ("price default EUR 19.99 → 17.99", "sale")
    assert [one["outcome"] for one in history[-1]["channels"]] == ["confirmed"]


def who_works(data: Path) -> set[str]:
    """The roles of Postgres that the processes work as."""
    running = Servers.running(data)
    assert running is not None
    with psycopg.connect(running.postgres) as conn:
        rows = conn.execute("SELECT usename FROM pg_stat_activity WHERE application_name LIKE 'daybook %'").fetchall()
    return {name for (name,) in rows}


def child_processes(child: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Those that are alive."""
    return [one for one in psutil.Process(child.pid).children() if one.status() != psutil.STATUS_ZOMBIE]


def test_a_second_daybook_on_the_folder_and_a_taken_port_are_told_and_harm_nothing(program: Program) -> None:
    with program.up("--port", 0) as (_, said):
        second = subprocess.run(
            program.command("up", "--port", 0), capture_output=True, text=True, timeout=60, check=False
        )
        assert (second.returncode, json.loads(second.stderr)["code"]) == (6, "folder_in_use")
        port = said["url"].rpartition(":")[2]
        elsewhere = Program(program.data.parent / "other")
        taken = subprocess.run(
            elsewhere.command("up", "--port", port), capture_output=True, text=True, timeout=60, check=False
        )
        assert (taken.returncode, json.loads(taken.stderr)["code"]) == (7, "bad_configuration")
        assert port in json.loads(taken.stderr)["message"]
        unknown = subprocess.run(
            program.command("up", "--channels", "ebay"), capture_output=True, text=True, timeout=60, check=False
        )
        assert (unknown.returncode, json.loads(unknown.stderr)["code"]) == (4, "not_found")
        assert get(f"{said['url']}/health/live")
        assert program("config")["running"]["pid"] == said["pid"]


def test_its_own_servers_come_back_after_kill_9_also_at_another_port_and_ctrl_c_ends_all(program: Program) -> None:
    with program.up("--port", 0, "--sandboxes", "--channels", "bol") as (child, said):
        for arguments in (["create"], ["gtin", EAN], ["stock", "count", 5], ["price", "19.99", "EUR"], ["list", "bol"]):
            program("product", arguments[0], "SKU-1", *arguments[1:])
        shop = f"{said['sandboxes']['bol']}/_sandbox/shown"
        until(lambda: "SKU-1" in get(shop), "bol shows the product", 60)
        nats_before = program("config")["running"]["nats"]

        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for server in servers_of(program.data):
                with suppress(psutil.NoSuchProcess):  # a server's own helper ends with it, or by itself
                    server.kill()
            until(lambda: listens(thief, int(nats_before.rpartition(":")[2])), "the port is free")
            until(lambda: answers(f"{said['url']}/health/ready"), "everything is ready again", 90)

        assert program("config")["running"]["nats"] != nats_before
        program("product", "price", "SKU-1", "17.99", "EUR")
        until(lambda: "17.99" in json.dumps(get(shop)), "bol shows the new price", 60)

        servers_of(program.data)[0].kill()
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 0
        until(lambda: program.processes() == servers_of(program.data) == [], "nothing runs")


def servers_of(data: Path) -> list[psutil.Process]:
    """The server processes of a data folder; Postgres has some more of its own."""
    marked = processes.mark(data)
    return [*processes.find("nats-server", marked), *processes.find("postgres", marked)]


def listens(thief: socket.socket, port: int) -> bool:
    """Whether the thief has the port now."""
    try:
        thief.bind(("127.0.0.1", port))
    except OSError:
        return False
    thief.listen()
    return True


def answers(url: str) -> bool:
    """Whether it answers with 200."""
    try:
        get(url)
    except OSError:
        return False
    return True
