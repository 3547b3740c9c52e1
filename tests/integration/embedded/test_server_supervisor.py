"""The servers beside `daybook up`: killed, stopped, unable to start, moved. Real programs, real signals."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from daybook.embedded import processes
from daybook.embedded.server_supervisor import Patience, ServerSupervisor
from daybook.embedded.servers import Servers
from tests.fixtures.child_programs import alive
from tests.fixtures.server_notes import notes, published, write_note
from tests.fixtures.waiting import until

pytestmark = pytest.mark.long

QUICK = Patience(ask_every=0.1, answer_within=0.5, attempts=2)
ELSEWHERE = "postgresql://elsewhere/x"


class Watched:
    """Servers that are watched, and what was told of them."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.said: list[str] = []
        self.moves: list[tuple[str, str]] = []
        self.supervisor = ServerSupervisor(
            servers, self.said.append, lambda: self.moves.append((servers.postgres_dsn, servers.nats_url)), QUICK
        )

    def told(self, words: str) -> bool:
        """Whether a line with these words was told."""
        return any(words in line for line in self.said)


@contextmanager
def watched(data: Path, postgres: str | None = None) -> Iterator[Watched]:
    """Servers on the folder, watched until the end of the block."""
    with Servers.start(data, postgres=postgres) as servers:
        found = Watched(servers)
        with found.supervisor:
            yield found


@pytest.mark.parametrize("name", ["postgres", "nats"])
def test_a_server_that_was_killed_runs_again_at_its_address_with_its_data(data_folder: Path, name: str) -> None:
    with watched(data_folder) as found:
        server = found.servers.postgres if name == "postgres" else found.servers.nats
        assert server is not None
        address, before = server.address, server.pid
        write_note(found.servers.postgres_dsn, "kept")

        os.kill(before, signal.SIGKILL)

        until(lambda: found.told(f"{name} runs again"), "it runs again")
        assert (server.address, found.moves) == (address, [])
        assert server.pid != before
        assert found.said == [f"{name} ended with status -9; starts again in 0.2 s", f"{name} runs again"]
        assert f"daybook: {found.said[0]}" in (data_folder / "logs" / f"{name}.log").read_text()
        assert (notes(found.servers.postgres_dsn), published(found.servers.nats_url)) == (["kept"], [])


@pytest.mark.parametrize("name", ["postgres", "nats"])
def test_a_server_that_was_stopped_by_a_signal_is_ended_and_started_again(data_folder: Path, name: str) -> None:
    with watched(data_folder) as found:
        server = found.servers.postgres if name == "postgres" else found.servers.nats
        assert server is not None
        before = psutil.Process(server.pid)

        before.suspend()

        until(lambda: found.told(f"{name} runs again"), "it runs again", 40)
        assert found.told(f"{name} has not answered 2 times in a row")
        assert not alive(before)
        assert server.answers(5)


def test_a_stale_pid_file_that_names_another_process_does_not_keep_postgres_away(data_folder: Path) -> None:
    with watched(data_folder) as found, subprocess.Popen(["sleep", "60"]) as other:
        server = found.servers.postgres
        assert server is not None
        cluster = (data_folder / "postgres").resolve()
        file = cluster / "postmaster.pid"
        rest = file.read_text().partition("\n")[2]
        os.kill(server.pid, signal.SIGSTOP)
        file.write_text(f"{other.pid}\n{rest}")

        os.kill(server.pid, signal.SIGKILL)

        until(lambda: found.told("postgres runs again"), "it runs again")
        assert alive(psutil.Process(other.pid))
        other.kill()


def test_a_server_that_dies_at_each_start_is_told_once_and_runs_as_soon_as_it_can(data_folder: Path) -> None:
    with watched(data_folder) as found:
        server = found.servers.postgres
        assert server is not None
        control = (data_folder / "postgres").resolve() / "global" / "pg_control"
        write_note(server.dsn, "kept")
        control.rename(control.with_suffix(".away"))

        os.kill(server.pid, signal.SIGKILL)

        log = data_folder / "logs" / "postgres.log"
        until(lambda: log.read_text().count("daybook: postgres can't be started") >= 3, "it was tried three times")
        failures = [line for line in found.said if "can't be started" in line]
        assert len(failures) == 1
        assert "pg_control" in failures[0]
        assert [word for word in ("0.4 s", "0.8 s", "1.6 s") if f"next try in {word}" not in log.read_text()] == []
        assert published(found.servers.nats_url) == []

        control.with_suffix(".away").rename(control)
        until(lambda: found.told("postgres runs again"), "it runs again", 30)
        assert notes(server.dsn) == ["kept"]


def test_nats_keeps_its_port_when_a_start_fails_for_another_reason(data_folder: Path) -> None:
    with watched(data_folder, ELSEWHERE) as found:
        server = found.servers.nats
        assert server is not None
        address, store = server.url, data_folder / "nats"
        store.rename(data_folder / "away")
        store.touch()  # no folder: nothing can be stored

        os.kill(server.pid, signal.SIGKILL)

        until(lambda: found.told("nats can't be started"), "it can't start")
        store.unlink()
        (data_folder / "away").rename(store)
        until(lambda: found.told("nats runs again"), "it runs again", 30)
        assert (server.url, found.moves) == (address, [])


def test_a_port_that_somebody_took_meanwhile_is_told_to_everybody(data_folder: Path) -> None:
    with watched(data_folder, ELSEWHERE) as found:
        server = found.servers.nats
        assert server is not None
        before, taken = server.url, threading.Event()
        os.kill(server.pid, signal.SIGSTOP)
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            os.kill(server.pid, signal.SIGKILL)
            until(lambda: _bound(thief, before, taken), "the port is free")
            until(lambda: found.told("nats runs again at another address"), "it runs again")

        assert server.url != before
        assert found.moves == [(ELSEWHERE, server.url)]
        running = Servers.running(data_folder)
        assert running is not None
        assert running.nats == server.url


def _bound(thief: socket.socket, url: str, taken: threading.Event) -> bool:
    if not taken.is_set():
        try:
            thief.bind(("127.0.0.1", int(url.rpartition(":")[2])))
        except OSError:
            return False
        thief.listen()
        taken.set()
    return True


def test_a_start_that_takes_long_ends_when_everything_is_told_to_end(data_folder: Path) -> None:
    with watched(data_folder) as found:
        server = found.servers.postgres
        assert server is not None
        control = (data_folder / "postgres").resolve() / "global" / "pg_control"
        control.rename(control.with_suffix(".away"))
        os.mkfifo(control)  # whoever reads it waits
        control.chmod(0o666)

        os.kill(server.pid, signal.SIGKILL)
        until(lambda: processes.find("postgres", processes.mark(data_folder)), "it starts")

        found.supervisor.stop()

        assert processes.find("postgres", processes.mark(data_folder)) == []
        assert not found.told("runs again")
    assert processes.find("nats-server", processes.mark(data_folder)) == []


def test_a_server_that_is_killed_while_everything_ends_stays_dead(data_folder: Path) -> None:
    with watched(data_folder) as found:
        server = found.servers.postgres
        assert server is not None
        found.supervisor.stop()
        os.kill(server.pid, signal.SIGKILL)
    assert processes.find("postgres", processes.mark(data_folder)) == []
    assert found.said == []


def test_servers_that_were_stopped_by_a_signal_still_end_in_order(data_folder: Path) -> None:
    with Servers.start(data_folder) as servers:
        assert servers.postgres is not None
        assert servers.nats is not None
        write_note(servers.postgres_dsn, "kept")
        for pid in (servers.postgres.pid, servers.nats.pid):
            os.kill(pid, signal.SIGSTOP)

    assert "database system is shut down" in (data_folder / "logs" / "postgres.log").read_text().splitlines()[-1]
    assert processes.find("nats-server", processes.mark(data_folder)) == []


def test_too_many_clients_is_an_answer(data_folder: Path) -> None:
    with Servers.start(data_folder, nats="nats://elsewhere") as servers:
        server = servers.postgres
        assert server is not None
        with psycopg.connect(server.dsn_of("daybook"), autocommit=True) as connection:
            connection.execute("ALTER ROLE postgres CONNECTION LIMIT 1")
            connection.execute("ALTER DATABASE postgres CONNECTION LIMIT 0")
            connection.execute("CREATE ROLE plain LOGIN")
        assert server.answers(5)
        os.kill(server.pid, signal.SIGSTOP)
        assert not server.answers(2)
