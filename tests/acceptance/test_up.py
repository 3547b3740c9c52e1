"""`daybook up` as a person runs it: one process that runs everything, and other calls of the program beside it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fixtures.waiting import until

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


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=20) as answer:
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
        assert get(f"{said['url']}/api/v1/products/SKU-1")["prices"][0]["amount"] == "19.99"
        assert get(f"{said['url']}/health/ready")["ready"] is True

        def roles() -> dict[str, int]:
            """Role -> process."""
            running = {one: one.cmdline() for one in child_processes(child)}
            return {
                line[line.index("run") + 1]: one.pid for one, line in running.items() if "run" in line and "-m" in line
            }

        before = roles()
        assert set(before) == {"relay", "project", "deliver", "api"}
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
