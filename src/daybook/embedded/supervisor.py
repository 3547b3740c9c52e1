"""Keeps the roles of Daybook running beside the servers: each is a child process that is started again when it
dies."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from daybook.embedded.backoff import Backoff
from daybook.embedded.processes import not_ours, note
from daybook.errors import NotFound, Unavailable

_LOOK_EVERY = 0.05
_GRACE = 10.0


@dataclass
class _Child:
    name: str
    command: list[str]
    env: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    due: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)
    starts: int = 0
    kill_at: float | None = None


class Supervisor:
    """Runs child processes by name. What a child writes goes to `<data>/logs/<name>.log`, appended.

    A child that ends, for whatever reason, is started again with the delays of `Backoff`. Safe to use from any thread.

    One thread of its own starts and watches all children. On Linux they are killed when that thread ends, which
    is also when this process is killed: nothing that a killed `daybook up` started goes on working. Every role
    survives SIGKILL by design, while one that lingered would compete with the next start.
    """

    def __init__(self, data: Path, on_note: Callable[[str], None] = lambda _: None) -> None:
        """`on_note` hears, in another thread, which child ended or can't be started, and when it is tried again."""
        self._logs = data / "logs"
        self._on_note = on_note
        self._children: dict[str, _Child] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._grace = _GRACE
        self._thread: threading.Thread | None = None

    def run(self, name: str, command: list[str], env: Mapping[str, str] | None = None) -> None:
        """Start `command` as `name` soon and keep it running, with `env` on top of this process's environment.

        Of Daybook's own variables it gets those in `env` and no other: a secret is not handed on by the way.

        Raises Unavailable if the supervisor was stopped, ValueError if the name is taken.
        """
        with self._lock:
            if self._stopping.is_set():
                raise Unavailable(f"{name} can't be started: the supervisor has stopped")
            if name in self._children:
                raise ValueError(f"{name} runs already")
            self._children[name] = _Child(name, list(command), dict(env or {}))
            if self._thread is None:
                self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._thread = threading.Thread(target=self._watch, name="daybook-supervisor", daemon=True)
                self._thread.start()
        self._wake.set()

    def change_environments(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Start the children that are named again with these in their environment: SIGTERM, SIGKILL after 10 s."""
        with self._lock:
            for child in self._children.values():
                if child.name not in changes:
                    continue
                child.env.update(changes[child.name])
                if child.process is not None and child.process.poll() is None:
                    child.process.terminate()
                    child.kill_at = time.monotonic() + _GRACE
        self._wake.set()

    def pids(self) -> dict[str, int]:
        """Name to process id of the children that run just now; one that waits for its next start is not in it."""
        with self._lock:
            return {
                name: child.process.pid
                for name, child in self._children.items()
                if child.process is not None and child.process.poll() is None
            }

    def restarts(self, name: str) -> int:
        """How often the child was started again. NotFound if there is no such name."""
        with self._lock:
            if name not in self._children:
                raise NotFound(f"no child process is called {name!r}", name=name)
            return max(0, self._children[name].starts - 1)

    def stop(self, timeout: float = 10.0) -> None:
        """SIGTERM to all, SIGKILL to those that still run after `timeout` seconds. Returns when all have ended.

        Nothing is started again afterwards. Doing it twice is harmless.
        """
        with self._lock:
            self._grace = timeout
            self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def wait(self, timeout: float = 10.0) -> None:
        """Block until SIGINT (Ctrl-C), SIGTERM or `stop` from another thread, then stop the children. Main thread
        only.

        The children have sessions of their own, so Ctrl-C in the terminal reaches this process alone and each
        child gets one SIGTERM. A second Ctrl-C kills those that still run.
        """
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        # Hazard: the handler interrupts this very thread, perhaps inside an Event's lock, so `Event.set` in it could
        # wait for itself for ever. It only changes plain values that the loop below and the watching thread look at.
        asked_for: list[int] = []

        def asked(number: int, _frame: object) -> None:
            if asked_for:
                self._grace = 0.0
            asked_for.append(number)

        for number in before:
            signal.signal(number, asked)
        try:
            while not asked_for and not self._stopping.wait(_LOOK_EVERY):
                pass
            self.stop(timeout)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _watch(self) -> None:
        try:
            while not self._stopping.is_set():
                with self._lock:
                    for child in self._children.values():
                        self._look_after(child)
                self._wake.wait(_LOOK_EVERY)
                self._wake.clear()
        finally:
            self._stopping.set()
            self._end_all()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is not None:
            if child.process.poll() is None:
                if child.kill_at is not None and now >= child.kill_at:
                    child.process.kill()
                return
            delay = child.backoff.take(now - child.started)
            self._note(child, f"ended with status {child.process.returncode}; starts again in {delay:.1f} s")
            child.process = child.kill_at = None
            child.due = now + delay
        if now < child.due:
            return
        child.starts += 1
        child.started = now
        try:
            with (self._logs / f"{child.name}.log").open("ab") as log:
                child.process = subprocess.Popen(
                    child.command,
                    env=not_ours(os.environ) | child.env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=_die_with_parent(),  # noqa: PLW1509 - its hazard is told there
                )
        except (OSError, subprocess.SubprocessError) as error:
            delay = child.backoff.take()
            self._note(child, f"can't be started: {error}; next try in {delay:.1f} s")
            child.due = now + delay

    def _end_all(self) -> None:
        with self._lock:
            alive = [child.process for child in self._children.values() if child.process is not None]
        for process in alive:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        began = time.monotonic()
        while any(process.poll() is None for process in alive):
            if time.monotonic() - began >= self._grace:
                for process in alive:
                    process.kill()
            time.sleep(0.02)

    def _note(self, child: _Child, what: str) -> None:
        note(self._logs / f"{child.name}.log", f"{child.name} {what}")
        self._on_note(f"{child.name} {what}")


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Inside, SIGTERM raises KeyboardInterrupt as Ctrl-C does, so that a program that is asked to stop while it
    still starts takes its servers down with it. `Supervisor.wait` takes over while it waits. Main thread only.
    """

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _die_with_parent() -> Callable[[], None] | None:
    """What a child does between fork and exec so that the kernel kills it when its parent dies. Linux only.

    Hazard: the kernel means the *thread* that forked, so a child that was started from a short-lived thread dies with
    it. That is why the supervisor's own thread starts them all and ends after them.

    Hazard: a forked child of a program with threads may only do simple things. Everything is looked up here,
    before the fork; the child makes two system calls. The second closes a gap: had the parent died before the
    first, no signal would come.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()
    set_death_signal, kill = 1, int(signal.SIGKILL)

    def prepare() -> None:
        prctl(set_death_signal, kill, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
