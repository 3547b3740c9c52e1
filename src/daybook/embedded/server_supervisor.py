"""Keeps the servers of a data folder running beside the roles."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from daybook.embedded.backoff import Backoff
from daybook.embedded.processes import note
from daybook.embedded.servers import Servers

_LOOK_EVERY = 0.05


class Server(Protocol):
    """A server of our own, as `PostgresServer` and `NatsServer` are."""

    name: str

    @property
    def address(self) -> str:
        """Where clients find it."""
        ...

    @property
    def exit_status(self) -> int | None:
        """The status it ended with; None while it runs."""
        ...

    def answers(self, timeout: float) -> bool:
        """Whether it answers a new client within `timeout` seconds; a refusal in words is an answer."""
        ...

    def restart(self) -> None:
        """Stop it if it runs, then start it. Unavailable when it can't be."""
        ...

    def abandon(self) -> None:
        """End a start that is under way in another thread, and refuse later ones."""
        ...


@dataclass(frozen=True)
class Patience:
    """How long a server that runs may be silent.

    Attempts in a row count, not time: after a pause of this very process, or of the machine, a server gets its chances
    anew.
    """

    ask_every: float = 5.0
    answer_within: float = 10.0
    attempts: int = 3


class ServerSupervisor:
    """Watches the servers that `servers` started, each from a thread of its own, until the end of the `with`.

    A server that ended is started again with the delays of `Backoff`. One that runs and answers nobody, because it was
    stopped (SIGSTOP), hangs, or switched its storage off, is ended first: in order if it listens to that, else with
    SIGKILL. Never are there two on one folder: `restart` ends what is left of the former one before.

    What happens goes to the server's log and, without repetitions, to `on_progress`. When a server had to take another
    address, `servers.json` tells it, then `on_move` is called; both callbacks come from other threads.
    """

    def __init__(
        self,
        servers: Servers,
        on_progress: Callable[[str], None],
        on_move: Callable[[], None],
        patience: Patience = Patience(),
    ) -> None:
        self._servers = servers
        self._on_progress = on_progress
        self._on_move = on_move
        self._patience = patience
        self._stopping = threading.Event()
        self._moving = threading.Lock()
        self._ours: list[Server] = [server for server in (servers.postgres, servers.nats) if server is not None]
        self._threads = [
            threading.Thread(target=self._watch, args=(server,), name=f"daybook-{server.name}", daemon=True)
            for server in self._ours
        ]

    def __enter__(self) -> "ServerSupervisor":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Start nothing any more, and leave the servers as they are. A start that is under way is ended.

        Doing it twice is harmless.
        """
        self._stopping.set()
        for server in self._ours:
            server.abandon()
        for thread in self._threads:
            thread.join()

    def _watch(self, server: Server) -> None:
        backoff = Backoff()
        started = asked = time.monotonic()
        silent = 0
        while not self._stopping.wait(_LOOK_EVERY):
            wrong = None if server.exit_status is None else f"ended with status {server.exit_status}"
            if wrong is None and time.monotonic() - asked >= self._patience.ask_every:
                silent = 0 if server.answers(self._patience.answer_within) else silent + 1
                asked = time.monotonic()
                if silent >= self._patience.attempts:
                    wrong = f"has not answered {silent} times in a row, so it is ended"
            if wrong is not None:
                self._start_again(server, wrong, backoff, time.monotonic() - started)
                started = asked = time.monotonic()
                silent = 0

    def _start_again(self, server: Server, wrong: str, backoff: Backoff, ran: float) -> None:
        delay = backoff.take(ran)
        self._tell(server, f"{wrong}; starts again in {delay:.1f} s")
        known = ""
        while not self._stopping.wait(delay):
            before = server.address
            try:
                server.restart()
                if server.address != before:
                    self._move()
            except Exception as error:  # whatever it is, such as a full disk: this thread is the only one that tries
                if self._stopping.is_set():
                    return
                delay = backoff.take()
                reason = str(error).partition("\n")[0]
                self._tell(server, f"can't be started: {error}\nnext try in {delay:.1f} s", again=reason == known)
                known = reason
            else:
                self._tell(server, "runs again" + ("" if server.address == before else " at another address"))
                return

    def _move(self) -> None:
        with self._moving:
            self._servers.announce()
            self._on_move()

    def _tell(self, server: Server, what: str, again: bool = False) -> None:
        note(self._servers.logs / f"{server.name}.log", f"{server.name} {what}")
        if not again:
            with contextlib.suppress(OSError):  # nobody may read the terminal any more
                self._on_progress(f"{server.name} {what}")
