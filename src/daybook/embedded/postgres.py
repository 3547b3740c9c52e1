"""A PostgreSQL server from the wheel, in one data folder."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql

from daybook.embedded import account, processes
from daybook.errors import Unavailable

_START_TIMEOUT = 120.0  # recovery after a crash replays up to max_wal_size
_STOP_TIMEOUT = 30.0
_STOP_STARTING_TIMEOUT = 5.0  # recovery can begin anew at any point
_DATABASE = "daybook"
_SUPERUSER = "postgres"
OWNER = "daybook"
"""The role that Daybook works as: it owns the database, and may do nothing outside of it."""
_PORT = 5432  # only part of the socket's name: nothing listens on the network
_SOCKET_PATH_LIMIT = 103  # bytes that macOS takes; Linux takes 107

_SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
}


class PostgresServer:
    """One running postmaster, stopped on the way out of a `with`.

    It listens on a unix socket in a private folder, and nowhere else. Whoever can enter that folder is let in as the
    role that he names: he could as well read the cluster's files. The roles are for what Daybook itself may do.

    The cluster is in `<data>/postgres`, the log in `<data>/logs/postgres.log`. When Daybook is root the server runs as
    an unprivileged account, and `<data>/postgres` may be a link: `account` says when and why.
    """

    name = "postgres"

    def __init__(self, data: Path, *, fsync: bool, roles: Sequence[str]) -> None:
        self._data = data.resolve()
        self._fsync = fsync
        self._roles = roles
        self._mark = processes.mark(self._data)
        self._process: subprocess.Popen[bytes] | None = None
        self._abandoned = threading.Event()
        self._sockets = Path()
        self.dsn = ""

    @classmethod
    def start(cls, data: Path, *, fsync: bool = True, roles: Sequence[str] = ()) -> "PostgresServer":
        """Start a server on `data` (made if missing) and return once it takes connections and has a database
        `daybook`, which belongs to a role of the same name; `roles` can log in too.

        `fsync=False` is for data that nobody will miss: a crash of the machine may destroy the cluster. A server
        that a killed run left behind on the same folder is stopped first, in good order where it still can.

        Raises BadConfiguration if the wheel is missing or the folder belongs to another user, Unavailable with
        the end of the log if the server won't start.
        """
        server = cls(data, fsync=fsync, roles=roles)
        server.restart()
        return server

    def __enter__(self) -> "PostgresServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of the postmaster. Unavailable if it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise Unavailable(f"the Postgres server of {self._data} is not running")
        return self._process.pid

    @property
    def address(self) -> str:
        """Where clients find it: the DSN of the database `daybook`, as its owner."""
        return self.dsn

    @property
    def exit_status(self) -> int | None:
        """The status that the postmaster ended with; None while it runs, and when it was stopped from here."""
        return None if self._process is None else self._process.poll()

    def answers(self, timeout: float) -> bool:
        """Whether a new client gets an answer within `timeout` seconds; "too many clients" is one."""
        try:
            psycopg.connect(self.dsn_of("postgres"), connect_timeout=max(2, round(timeout))).close()
        except psycopg.OperationalError as error:
            return "FATAL:" in str(error)
        return True

    def abandon(self) -> None:
        """End a start that is under way in another thread, and refuse later ones: they raise Unavailable."""
        self._abandoned.set()

    def restart(self) -> None:
        """Start again after an end of any kind. A running server is stopped first.

        The DSN stays the same, unless its socket folder was cleaned away from /tmp.
        """
        self.stop()
        (self._data / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        # Also after our own kill(): backends outlive their postmaster by a moment, and hold its shared memory.
        processes.end_leftovers("postgres", self._mark, signal.SIGINT, _STOP_TIMEOUT)
        who = account.server_account(self._data / "postgres")
        programs = account.programs(who)
        home = account.cluster_home(self._data, who)
        if not (home / "postgres").exists():
            self._make_cluster(programs, home, who)
        sockets = _socket_folder(home, who)
        _drop_stale_pids(home / "postgres", sockets)
        self._sockets = sockets
        self.dsn = self.dsn_as(OWNER)
        self._launch(programs, home / "postgres", sockets, who)

    def stop(self, timeout: float = _STOP_TIMEOUT) -> None:
        """Fast shutdown: sessions are ended, what was committed is on the disk. No harm if it does not run.

        SIGKILL after `timeout` seconds.
        """
        stopped, self._process = self._process, None
        processes.stop_child(stopped, signal.SIGINT, timeout)
        if stopped is not None and stopped.returncode != 0:  # killed, and a session that hangs would outlive it
            processes.end_leftovers("postgres", self._mark, signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL of the postmaster, as a crash would; `restart` recovers."""
        processes.stop_child(self._process, signal.SIGKILL, _STOP_TIMEOUT)
        self._process = None

    @property
    def _log(self) -> Path:
        return self._data / "logs" / "postgres.log"

    def dsn_of(self, database: str, role: str = _SUPERUSER) -> str:
        """The address of any database of this server, as any role; as the one that may do everything, unless named."""
        # The port is written out because libpq would otherwise take PGPORT from the environment.
        return (
            f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}"
            f"?host={quote(str(self._sockets), safe='/')}&port={_PORT}"
        )

    def dsn_as(self, role: str) -> str:
        """The address of the database `daybook`, as a role."""
        return self.dsn_of(_DATABASE, role)

    def _make_cluster(self, programs: Path, home: Path, who: account.Account | None) -> None:
        """initdb beside the cluster's place, then rename: a killed initdb leaves nothing that looks like a cluster."""
        new = home / "postgres.new"
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        if who is not None:
            os.chown(new, who.uid, who.gid)
        command = [str(programs / "initdb"), "-D", str(new), "--username=postgres", "--auth=trust"]
        command += ["--locale=C", "--encoding=UTF8", "--no-instructions"]
        if not self._fsync:
            command.append("--no-sync")
        with self._log.open("ab") as log:
            done = self._spawn(command, log.fileno(), who)
            try:
                self._wait_for(done)
            except BaseException:
                done.kill()
                done.wait()
                raise
        if done.returncode != 0:
            raise Unavailable(self._failure(f"could not make its cluster (initdb ended with {done.returncode})"))
        new.rename(home / "postgres")

    def _launch(self, programs: Path, cluster: Path, sockets: Path, who: account.Account | None) -> None:
        settings = _SETTINGS | {
            "cluster_name": self._mark,
            "unix_socket_directories": _listed(sockets),
            "fsync": "on" if self._fsync else "off",
        }
        command = [str(programs / "postgres"), "-D", str(cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            self._process = self._spawn(command, log.fileno(), who)
        deadline = processes.Deadline(_START_TIMEOUT)
        try:
            while not self._ready():
                if self._process.poll() is not None:
                    raise Unavailable(self._failure(f"ended with status {self._process.returncode}"))
                self._check_patience(deadline)
        except BaseException:
            self.stop(_STOP_STARTING_TIMEOUT)
            raise

    def _wait_for(self, program: "subprocess.Popen[bytes]") -> None:
        deadline = processes.Deadline(_START_TIMEOUT)
        while program.poll() is None:
            self._check_patience(deadline)

    def _check_patience(self, deadline: processes.Deadline) -> None:
        if self._abandoned.is_set():
            raise Unavailable(f"the Postgres server of {self._data} is to stay stopped")
        if deadline.passed:
            raise Unavailable(self._failure(f"was not ready after {_START_TIMEOUT:.0f} s"))
        deadline.pause()

    def _ready(self) -> bool:
        """True once a connection is possible; makes the database and the roles on the way if they are missing."""
        try:
            with psycopg.connect(self.dsn_of("postgres"), autocommit=True, connect_timeout=5) as connection:
                for role in (OWNER, *self._roles):
                    if not _row(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
                        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
                owner = _row(
                    connection, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", _DATABASE
                )
                if owner is None:
                    connection.execute(f'CREATE DATABASE "{_DATABASE}" OWNER "{OWNER}"')
            if owner is not None and owner != OWNER:
                self._hand_over()
        except psycopg.OperationalError:
            return False
        return True

    def _hand_over(self) -> None:
        """What an earlier Daybook made as superuser is given to the owner, all of it or nothing."""
        with psycopg.connect(self.dsn_of(_DATABASE), connect_timeout=5) as connection:
            connection.execute(Path(__file__).with_name("hand_over.sql").read_bytes())
            connection.execute(f'ALTER DATABASE "{_DATABASE}" OWNER TO "{OWNER}"')

    def _spawn(self, command: list[str], log: int, who: account.Account | None) -> "subprocess.Popen[bytes]":
        # PG* variables are meant for clients of other servers. A session of its own: Ctrl-C in a terminal
        # reaches the program that owns the server, which stops it in order. The working folder must be one that the
        # server's account can enter.
        given = processes.not_ours(os.environ)
        environ = {name: value for name, value in given.items() if not name.startswith(("PG", "LC_", "LANG"))}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environ | {"LC_ALL": "C"},
            start_new_session=True,
            user=who.uid if who else None,
            group=who.gid if who else None,
            extra_groups=[] if who else None,
        )

    def _failure(self, what: str) -> str:
        return f"the Postgres server {what}; the end of {self._log}:\n{processes.tail(self._log)}"


def _row(connection: psycopg.Connection[Any], query: LiteralString, name: str) -> Any:
    """The one value that a question about a name has, or None."""
    found = connection.execute(query, (name,)).fetchone()
    return None if found is None else found[0]


def _drop_stale_pids(cluster: Path, sockets: Path) -> None:
    """Remove lock files that name a process which is no Postgres.

    Postgres does that itself, unless the number now belongs to another process of the same user. Then it refuses
    to start; in a container numbers are small and come back at every start, so there it is likely. It is safe
    here because every process of this cluster carries its mark and has been ended before.
    """
    for file in (cluster / "postmaster.pid", sockets / f".s.PGSQL.{_PORT}.lock"):
        try:
            pid = int(file.read_text().partition("\n")[0])
        except (OSError, ValueError):
            continue
        if not processes.runs(pid, "postgres"):
            file.unlink(missing_ok=True)


def forget(data: Path) -> None:
    """Delete what the cluster of `data` keeps outside of `data`; for a folder that is about to be deleted.

    That is the socket folder of a long path and, for root, the cluster itself when it had to be placed elsewhere. The
    server must be stopped. Doing it twice is harmless.
    """
    data = data.resolve()
    home = account.placed(data) or data
    with contextlib.suppress(OSError):
        folder = Path((home / "run.path").read_text())
        if folder.parent == Path("/tmp") and folder.name.startswith("daybook-"):
            shutil.rmtree(folder)
    account.forget(data)


def _listed(folder: Path) -> str:
    """A folder as the one item of a PostgreSQL list setting."""
    return '"' + str(folder).replace('"', '""') + '"'


def _socket_folder(home: Path, who: account.Account | None) -> Path:
    """A folder that only the server's user can enter, with a path short enough for a socket.

    `<home>/run` if that is short. Otherwise a folder below /tmp, whose path is recorded in `<home>/run.path`, so that
    a restart comes back at the same address; one that was cleaned away or is not ours is replaced by a new one.
    """
    uid = who.uid if who else os.geteuid()
    folder = home / "run"
    if len(os.fsencode(folder / f".s.PGSQL.{_PORT}")) <= _SOCKET_PATH_LIMIT and "," not in str(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
    else:
        record = home / "run.path"
        with contextlib.suppress(OSError):
            recorded = Path(record.read_text())
            found = recorded.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o077:
                return recorded
        folder = Path(tempfile.mkdtemp(prefix="daybook-", dir="/tmp"))
        processes.write_whole(record, str(folder))
    if who is not None:
        os.chown(folder, who.uid, who.gid)
    folder.chmod(0o700)
    return folder
