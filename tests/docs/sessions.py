"""The shell sessions of the pages, run against a real Daybook with the marketplaces' sandboxes.

`python -m tests.docs.sessions` runs them, and the demo, and writes what was printed back into the pages.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from daybook.app import App
from daybook.config import Settings
from daybook.embedded.servers import Servers, forget
from daybook.queries.channels import Channels, ChannelStatus
from tests.docs.snippets import ROOT, blocks, session
from tests.fixtures.waiting import until

PAGES = ("README.md", "docs/tutorial.md")
STARTED_SECONDS_MAX = 60.0
COMMAND_SECONDS_MAX = 60.0
PERSON = "anna"
COLUMNS = "120"
"""Of the terminal that the pages show."""
NO_FAULTS = "faults -d '{}'"
"""In a command that brings a marketplace back."""
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Terminal:
    """A shell beside a running `daybook up --sandboxes`. Each command is followed by a pause until all is quiet."""

    def __init__(self, folder: Path, sandboxes: dict[str, str], app: App) -> None:
        self._folder = folder
        self._channels = Channels(app.pool, app.registry)
        self._names = list(sandboxes)
        self._environ = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DAYBOOK_DATA": str(folder / "data"),
            "LOGNAME": PERSON,
            **{name.upper(): url for name, url in sandboxes.items()},
        }

    def run(self, command: str) -> str:
        """What the command prints. It must succeed. An assignment (`BOL=http://...`) is already made."""
        if re.match(r"[A-Z]+=http", command):
            return ""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            # As a shell does it: the program sees the terminal's width, and what it feeds into a pipe has none.
            env=self._environ if "|" in command else self._environ | {"COLUMNS": COLUMNS},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        wanted = self._level if NO_FAULTS in command else self._quiet
        until(wanted, f"the channels to be quiet after `{command}`", timeout=30)
        return "\n".join(line.rstrip() for line in done.stdout.splitlines() if line.strip())

    def _quiet(self) -> bool:
        """Nothing moves: every channel has all events, and what is due was tried and waits."""
        found = [one for one in self._channels.all() if one.name in self._names]
        return len(found) == len(self._names) and all(_rests(one) for one in found)

    def _level(self) -> bool:
        """Quiet, and nothing waits for an outage to end."""
        return self._quiet() and all(one.next_try is None for one in self._channels.all())


def _rests(one: ChannelStatus) -> bool:
    return not (one.lag or one.in_flight or one.accepted) and (not one.due or one.next_try is not None)


def up(page: str) -> list[str]:
    """The options with which the page starts Daybook, but for the folder."""
    (line,) = [line for block in blocks(page, "sh") for line in block.splitlines() if line.startswith("daybook up")]
    words = shlex.split(line)[2:]
    return [word for before, word in pairwise(["", *words]) if "--data" not in (before, word)]


@contextmanager
def daybook(folder: Path, options: list[str]) -> Iterator[Terminal]:
    """A Daybook in `folder`, as `daybook up` starts it with these options, until the block ends."""
    data = folder / "data"
    command = [sys.executable, "-m", "daybook", "up", *options, "--port", "0", "--json", "--data", str(data)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    with (folder / "up.log").open("w") as errors:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline() or "{}")
        running = Servers.running(data)
        assert told and running is not None, (folder / "up.log").read_text()
        with App(Settings(data=data, postgres=running.postgres, nats=running.nats)) as app:
            yield Terminal(folder, told["sandboxes"], app)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STARTED_SECONDS_MAX)
        if process.stdout is not None:
            process.stdout.close()
        forget(data)


def files(page: str, folder: Path) -> None:
    """Writes the page's file, if it has one: a `json` block is `catalogue.jsonl`."""
    for body in blocks(page, "json"):
        (folder / "catalogue.jsonl").write_text(body)


def written(text: str, terminal: Terminal) -> str:
    """The page with what its commands print now."""

    def block(found: re.Match[str]) -> str:
        lines: list[str] = []
        for step in session(found[1]):
            lines.append(f"$ {step.command}")
            lines += terminal.run(step.command).splitlines()
        return "```console\n" + "\n".join(lines) + "\n```"

    return _CONSOLE.sub(block, text)


def with_demo(text: str) -> str:
    """The README with what the demo prints now, but for the rows between the first and the last of the history."""
    command = [sys.executable, "-m", "daybook", "demo"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    printed = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
    head, title, rest = printed.partition("\nThe history of ")
    history, _, tail = rest.partition("\n\n")
    rows = re.split(r"\n(?=\d)", history)
    kept = "\n".join([*rows[:2], "…", rows[-1]])
    block = f"```text\n{head}{title}{kept}\n\n{tail}\n```"
    return re.sub(r"^```text\nA catalogue goes.*?^```$", lambda _: block, text, flags=re.MULTILINE | re.DOTALL)


def main() -> None:
    """Runs every page in a folder of its own and writes it anew."""
    from tests.fixtures.servers import temporary_data

    for page in sys.argv[1:] or PAGES:
        started = time.monotonic()
        with temporary_data() as folder, daybook(folder, up(page)) as terminal:
            files(page, folder)
            path = ROOT / page
            path.write_text(written(path.read_text(), terminal))
        if page == "README.md":
            path.write_text(with_demo(path.read_text()))
        print(f"{page} in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
