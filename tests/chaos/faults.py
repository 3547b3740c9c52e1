"""Faults of roles, servers, wires, disks and clocks. Each begins, lasts as long as its kind says, and is lifted."""

import contextlib
import os
import random
import resource
import signal
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import psutil

from daybook.errors import Unavailable
from tests.chaos.world import World

Undo = Callable[[], None]
Begin = Callable[[World, random.Random], Undo]


class Fault(msgspec.Struct, frozen=True):
    """One kind of fault."""

    name: str
    begin: Begin
    seconds: tuple[float, float] = (0.0, 0.0)
    """How long it lasts before it is lifted."""
    told: tuple[str, ...] = ()
    """Of these ways of waiting the status must tell one while it lasts, when it lasts `told_after` and more."""
    told_after: float = 25.0


def nothing() -> None:
    """There is nothing to lift."""


def _pick(pids: Sequence[int], dice: random.Random) -> list[int]:
    """One of them, or all."""
    return list(pids) if not pids or dice.random() < 0.5 else [dice.choice(pids)]


def signalled(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_role(role: str) -> Begin:
    """SIGKILL of one of the role's processes, or of all."""

    def begin(world: World, dice: random.Random) -> Undo:
        for pid in _pick(world.pids(role), dice):
            signalled(pid, signal.SIGKILL)
        return nothing

    return begin


def stop_role(role: str, everyone: bool = False) -> Begin:
    """SIGSTOP of one of the role's processes, or of all; SIGCONT lifts it."""

    def begin(world: World, dice: random.Random) -> Undo:
        pids = world.pids(role) if everyone else _pick(world.pids(role), dice)
        for pid in pids:
            signalled(pid, signal.SIGSTOP)

        def undo() -> None:
            for pid in pids:
                signalled(pid, signal.SIGCONT)

        return undo

    return begin


def kill_server(name: str) -> Begin:
    """SIGKILL of a server; it is started again by who looks after it."""

    def begin(world: World, _: random.Random) -> Undo:
        with contextlib.suppress(psutil.NoSuchProcess):
            world.server(name)[0].kill()
        return nothing

    return begin


def stop_server(name: str) -> Begin:
    """SIGSTOP of a server with all that it has begun."""

    def begin(world: World, _: random.Random) -> Undo:
        stopped = world.server(name)
        for one in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.suspend()

        def undo() -> None:
            for one in stopped:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.resume()

        return undo

    return begin


def full_disk(name: str) -> Begin:
    """No file of the server can grow beyond a few bytes: what it then sees is what a full disk makes it see."""

    def begin(world: World, dice: random.Random) -> Undo:
        size = dice.choice((4_000, 20_000, 200_000))
        for one in world.server(name):
            _limit(one, size)

        def undo() -> None:
            # A server that died of it was started anew, without a limit. Twice: a child may be younger than the list.
            for _ in range(2):
                with contextlib.suppress(Unavailable, psutil.NoSuchProcess):
                    for one in world.server(name):
                        _limit(one, resource.RLIM_INFINITY)

        return undo

    return begin


def _limit(process: psutil.Process, size: int) -> None:
    """By the account of the process itself: another one, root too, may lack the right."""
    soft = "unlimited" if size == resource.RLIM_INFINITY else str(size)
    with contextlib.suppress(psutil.NoSuchProcess):
        user, group = process.uids().real, process.gids().real
        whose: dict[str, Any] = {} if user == os.geteuid() else {"user": user, "group": group, "extra_groups": []}
        subprocess.run(
            ["prlimit", f"--pid={process.pid}", f"--fsize={soft}:"], capture_output=True, check=False, cwd="/", **whose
        )


def cut_wires(world: World, dice: random.Random) -> Undo:
    """Every connection to one of the servers, or to both, breaks."""
    for one in dice.choice(((world.to_postgres,), (world.to_nats,), (world.to_postgres, world.to_nats))):
        one.cut()
    return nothing


def silent_wires(world: World, dice: random.Random) -> Undo:
    """Nothing passes to one of the servers, and nothing breaks either."""
    chosen = dice.choice((world.to_postgres, world.to_nats))
    chosen.silence()
    return chosen.pass_on


def lost_answer(world: World, dice: random.Random) -> Undo:
    """A transaction commits, and nobody is told."""
    world.to_postgres.lose_answer_to(dice.choice((b"COMMIT", b"chaos-")))
    return nothing


def clock_forward(world: World, dice: random.Random) -> Undo:
    """Postgres's clock is set ahead, and stays there."""
    world.set_clock(world.skew + dice.choice((30.0, 600.0, 3600.0)))
    return nothing


def clock_back(world: World, dice: random.Random) -> Undo:
    """Postgres's clock is set back, and right again later."""
    was = world.skew
    world.set_clock(was - dice.choice((5.0, 600.0, 3600.0)))
    return lambda: world.set_clock(was)


OF_ROLES = tuple(
    fault
    for role, ways in (
        ("relay", ("stream_stuck", "stream_behind", "projection_behind")),
        ("project", ("projection_without_runner", "projection_behind")),
        ("deliver", ("delivery_without_worker", "due", "doubted", "failing", "submission")),
        ("api", ()),
    )
    for fault in (
        Fault(f"kill -9 {role}", kill_role(role)),
        Fault(f"SIGSTOP {role}", stop_role(role), (3.0, 14.0)),
        *([Fault(f"SIGSTOP every {role}", stop_role(role, True), (26.0, 35.0), ways)] if ways else []),
    )
)
OF_SERVERS = (
    Fault("kill -9 postgres", kill_server("postgres")),
    Fault("kill -9 nats", kill_server("nats")),
    Fault("SIGSTOP postgres", stop_server("postgres"), (2.0, 25.0)),
    Fault("SIGSTOP postgres until it is ended", stop_server("postgres"), (50.0, 60.0)),
    Fault("SIGSTOP nats", stop_server("nats"), (2.0, 35.0), ("stream_stuck", "stream_behind", "projection_behind")),
    Fault("full disk postgres", full_disk("postgres"), (2.0, 8.0)),
    Fault("full disk nats", full_disk("nats"), (5.0, 20.0)),
    Fault("cut connections", cut_wires),
    Fault("silent connections", silent_wires, (2.0, 20.0)),
    Fault("lost answer of a commit", lost_answer, (1.0, 3.0)),
    Fault("clock set forward", clock_forward),
    Fault("clock set back", clock_back, (3.0, 15.0)),
)
