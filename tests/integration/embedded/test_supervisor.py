"""The supervisor: children that die, children that won't, and a supervisor that is killed itself."""

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from daybook.embedded.supervisor import Supervisor
from daybook.errors import NotFound, Unavailable
from tests.fixtures.child_programs import alive, line, python
from tests.fixtures.waiting import until

SLEEPS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def log(data: Path, name: str) -> str:
    path = data / "logs" / f"{name}.log"
    return path.read_text() if path.exists() else ""


def test_a_child_that_dies_is_started_again_with_a_growing_delay(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    try:
        supervisor.run("short", ["/bin/sh", "-c", "echo said $WORD; exit 3"], env={"WORD": "hello"})
        supervisor.run("long", SLEEPS)
        until(lambda: supervisor.restarts("short") >= 2, "restarted twice")
        assert supervisor.restarts("long") == 0
        assert log(tmp_path, "short").splitlines()[:4] == [
            "said hello",
            "daybook: short ended with status 3; starts again in 0.2 s",
            "said hello",
            "daybook: short ended with status 3; starts again in 0.4 s",
        ]
    finally:
        supervisor.stop()


def test_a_killed_child_gets_a_new_process_and_whoever_keeps_it_is_told(tmp_path: Path) -> None:
    notes: list[str] = []
    supervisor = Supervisor(tmp_path, notes.append)
    try:
        supervisor.run("role", SLEEPS)
        until(lambda: "role" in supervisor.pids(), "started")
        first = supervisor.pids()["role"]

        os.kill(first, signal.SIGKILL)

        until(lambda: supervisor.pids().get("role", first) != first, "another process")
        assert supervisor.restarts("role") == 1
        assert notes == ["role ended with status -9; starts again in 0.2 s"]
    finally:
        supervisor.stop()


def test_a_command_that_does_not_exist_is_reported_and_harms_no_other(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    try:
        supervisor.run("broken", ["/nowhere/at-all"])
        supervisor.run("role", SLEEPS)
        until(lambda: "up" in log(tmp_path, "role"), "the other runs")
        until(lambda: "can't be started" in log(tmp_path, "broken"), "a note in the log")
        assert "broken" not in supervisor.pids()
    finally:
        supervisor.stop()


def test_stop_asks_first_and_kills_those_that_do_not_listen(tmp_path: Path) -> None:
    deaf = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    polite = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    supervisor = Supervisor(tmp_path)
    supervisor.run("deaf", [sys.executable, "-c", deaf])
    supervisor.run("polite", ["/bin/sh", "-c", polite])
    until(lambda: "up" in log(tmp_path, "deaf") and "up" in log(tmp_path, "polite"), "both are up")
    pids = supervisor.pids()

    supervisor.stop(timeout=0.5)

    assert "bye" in log(tmp_path, "polite")
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert supervisor.pids() == {}
    with pytest.raises(Unavailable, match="has stopped"):
        supervisor.run("late", SLEEPS)


def test_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nobody"):
        Supervisor(tmp_path).restarts("nobody")


SUPERVISE = """
import signal, sys, threading, time
from pathlib import Path
from daybook.embedded.supervisor import Supervisor
supervisor = Supervisor(Path(sys.argv[1]))
supervisor.run("role", ["/bin/sleep", "600"])
def tell():
    while "role" not in supervisor.pids() or signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        time.sleep(0.01)
    print(supervisor.pids()["role"], flush=True)
threading.Thread(target=tell).start()
supervisor.wait()
print("stopped in order", flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with python(SUPERVISE, tmp_path) as child:
        role = psutil.Process(int(line(child)))

        child.send_signal(signal.SIGKILL)
        child.wait(10)

        until(lambda: not alive(role), "the role is gone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_stop_the_children_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with python(SUPERVISE, tmp_path) as child:
        role = int(line(child))

        child.send_signal(number)

        assert line(child) == "stopped in order"
        assert child.wait(10) == 0
        assert not psutil.pid_exists(role)


def test_sigterm_while_starting_takes_down_what_was_started(data_folder: Path) -> None:
    code = """
import sys
from pathlib import Path
from daybook.embedded.servers import Servers
from daybook.embedded.supervisor import sigterm_interrupts
with sigterm_interrupts(), Servers.start(Path(sys.argv[1]), postgres="postgresql://elsewhere/x") as servers:
    print(servers.nats.pid, flush=True)
    sys.stdin.read()
"""
    with python(code, data_folder) as child:
        pid = int(line(child))

        child.send_signal(signal.SIGTERM)

        assert child.wait(10) != 0
        assert not psutil.pid_exists(pid)
