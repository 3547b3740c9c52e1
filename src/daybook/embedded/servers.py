"""Both servers on one data folder, for one Daybook at a time."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import msgspec

from daybook.embedded import postgres as postgres_server
from daybook.embedded import private, processes
from daybook.embedded.nats import NatsServer, UserPermissions
from daybook.embedded.postgres import PostgresServer
from daybook.errors import BadConfiguration, DaybookError

_LOCK_TIMEOUT = 1.0


class FolderInUse(DaybookError):
    """Another Daybook uses the data folder. `details["pid"]` names it."""

    code = "folder_in_use"


class Running(msgspec.Struct, frozen=True):
    """Where the servers of a running Daybook are."""

    postgres: str
    nats: str
    pid: int


class Servers:
    """The servers of one data folder, as a context manager that stops them on the way out.

    A server that has an address of its own already (DAYBOOK_POSTGRES, DAYBOOK_NATS) is not started; its address
    is passed on. If this process is killed the servers go on running; the next start on the folder stops them
    first and then starts anew.
    """

    def __init__(self, data: Path, lock: int, postgres: "PostgresServer | str", nats: "NatsServer | str") -> None:
        self._data = data
        self._lock: int | None = lock
        self._postgres = postgres
        self._nats = nats

    @classmethod
    def start(
        cls,
        data: Path,
        *,
        postgres: str | None = None,
        nats: str | None = None,
        users: UserPermissions | None = None,
        roles: Sequence[str] = (),
    ) -> "Servers":
        """Lock `data` (made if missing), start what was not given, both at once, and return when both are ready.

        NATS has a user for the owner and for each of `users`, Postgres a role that owns the database and each of
        `roles`: none of these may do everything there. While it runs, `<data>/servers.json` tells others on this
        machine where they are: see `running`.

        Raises FolderInUse if another Daybook has the folder, and what `Postgres.start` and `Nats.start` raise; then
        nothing is left running and the folder is free again.
        """
        data = data.resolve()
        try:
            private.make(data)
            lock = _lock(data)
        except OSError as error:
            raise BadConfiguration(
                f"the data folder {data} can't be used ({error.strerror}); give another with --data or DAYBOOK_DATA"
            ) from error
        try:
            private.keep(data)
            started = _start_both(data, postgres, nats, users, roles)
            servers = cls(data, lock, *started)
        except BaseException:
            os.close(lock)
            raise
        try:
            servers.announce()
        except BaseException:
            servers.stop()
            raise
        return servers

    @staticmethod
    def begun(data: Path) -> bool:
        """Whether a Postgres was ever begun on `data`; looks, and makes nothing."""
        return os.path.lexists(data / "postgres")

    @staticmethod
    def running(data: Path) -> Running | None:
        """The servers that a living Daybook has started on `data`; None if none has, or if it is still starting."""
        with _probe(data) as held:
            if not held:
                return None
            try:
                return msgspec.json.decode(_told(data).read_bytes(), type=Running)
            except (OSError, msgspec.DecodeError):
                return None

    @property
    def postgres_dsn(self) -> str:
        return self._postgres if isinstance(self._postgres, str) else self._postgres.dsn

    @property
    def nats_url(self) -> str:
        return self._nats if isinstance(self._nats, str) else self._nats.url

    def postgres_dsn_of(self, role: str) -> str:
        """Postgres as one of the roles that it was started with; an address that was given is the same for all."""
        return self._postgres if isinstance(self._postgres, str) else self._postgres.dsn_as(role)

    def nats_url_of(self, user: str) -> str:
        """NATS as one of the users that it was started with; an address that was given is the same for all."""
        return self._nats if isinstance(self._nats, str) else self._nats.url_of(user)

    @property
    def postgres(self) -> PostgresServer | None:
        """The server that was started here; None if an address was given."""
        return None if isinstance(self._postgres, str) else self._postgres

    @property
    def nats(self) -> NatsServer | None:
        """The server that was started here; None if an address was given."""
        return None if isinstance(self._nats, str) else self._nats

    @property
    def logs(self) -> Path:
        """The folder of what the servers, and the roles beside them, write."""
        return self._data / "logs"

    def announce(self) -> None:
        """Tell others on this machine where the servers are."""
        told = Running(postgres=self.postgres_dsn, nats=self.nats_url, pid=os.getpid())
        processes.write_whole(_told(self._data), json.dumps(msgspec.to_builtins(told), indent=2) + "\n")

    def stop(self) -> None:
        """Stop NATS, then Postgres, then free the folder. Doing it twice is harmless."""
        if self._lock is None:
            return
        try:
            _told(self._data).unlink(missing_ok=True)
            if self.nats:
                self.nats.stop()
        finally:
            try:
                if self.postgres:
                    self.postgres.stop()
            finally:
                os.close(self._lock)
                self._lock = None

    def __enter__(self) -> "Servers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def forget(data: Path) -> None:
    """Delete what the servers of `data` keep outside of it, before `data` itself is deleted. They must be stopped.

    Raises FolderInUse if a Daybook runs there.
    """
    if data.is_dir():
        lock = _lock(data.resolve())
        try:
            postgres_server.forget(data)
        finally:
            os.close(lock)


def _start_both(
    data: Path, postgres: str | None, nats: str | None, users: UserPermissions | None, roles: Sequence[str]
) -> tuple[PostgresServer | str, NatsServer | str]:
    """Both or none: when one fails, or Ctrl-C comes, the other is stopped again."""
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lambda: postgres or PostgresServer.start(data, roles=roles))
        second = pool.submit(lambda: nats or NatsServer.start(data, users=users))
        try:
            return first.result(), second.result()
        except BaseException:
            for future in (first, second):
                if future.exception() is None and not isinstance(server := future.result(), str):
                    server.stop()
            raise


def _told(data: Path) -> Path:
    return data / "servers.json"


def _lock(data: Path) -> int:
    """An open file that holds the folder's lock; closing it, or dying, frees the folder.

    `flock` and not a pid file: the kernel frees it however the holder dies. The descriptor isn't inherited by the
    servers, so a server that outlives a killed Daybook does not keep the folder.
    """
    handle = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = processes.Deadline(_LOCK_TIMEOUT)  # somebody who asks `running` holds it for a moment
        while not _taken(handle, fcntl.LOCK_EX):
            if deadline.passed:
                pid = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                raise FolderInUse(
                    f"the data folder {data} is in use by another Daybook, process {pid}; stop that one, "
                    "or give another folder with --data",
                    pid=pid,
                    data=str(data),
                )
            deadline.pause()
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _taken(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _probe(data: Path) -> Iterator[bool]:
    """Whether somebody holds the folder. A shared lock, so that two who ask don't see each other."""
    try:
        handle = os.open(data / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield False
        return
    try:
        yield not _taken(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)
