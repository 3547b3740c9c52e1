"""The chaos run, short: every invariant holds under faults, and Ctrl-C leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.chaos.run import Options, Run
from tests.fixtures.child_programs import alive
from tests.fixtures.pipeline import ROOT
from tests.fixtures.waiting import until

pytestmark = pytest.mark.long

SEED = os.environ.get("CHAOS_SEED", "1")


@pytest.mark.timeout(900)
def test_every_invariant_holds_after_two_minutes_of_faults(data_folder: Path) -> None:
    result = Run(Options(minutes=2.0, seed=SEED), data_folder).go()

    assert not result.broken, f"{result.command}\n{result.kept}\n{result.broken}"
    assert result.acknowledged > 50 and len(result.faults) > 5


@pytest.mark.timeout(180)
def test_ctrl_c_ends_a_chaos_run_and_leaves_no_process_behind() -> None:
    child = subprocess.Popen([sys.executable, "-m", "tests.chaos", "--seed", "1"], cwd=ROOT, stderr=subprocess.PIPE)
    with child:
        assert child.stderr is not None
        for line in child.stderr:
            if b" for " in line:  # the first fault that lasts
                break
        begun = psutil.Process(child.pid).children(recursive=True)
        assert len(begun) > 8, "servers and roles"
        child.send_signal(signal.SIGINT)
        child.stderr.read()
        assert child.wait(100) == 130
    until(lambda: not [one for one in begun if alive(one)], "nothing of it runs")
