"""Faults of marketplaces: what their sandboxes can do on a bad day, and what a person does to a channel."""

import random
import signal
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from daybook.channel.sandbox import Faults
from daybook_projections.webhook.sandbox.server import Step
from tests.chaos.api import NoAnswer
from tests.chaos.faults import Begin, Fault, Undo, signalled
from tests.chaos.world import World, until

DROPS = ("amazon",)
"""Whose sandbox never finishes what it accepted while submissions hang: that ends with the watchdog, after an hour."""
WAITING_WAYS = ("failing", "channel_down", "due", "not_there_yet", "submission", "delivery_without_worker", "doubted")


def switched(spared: tuple[str, ...] = (), **fields: Any) -> Begin:
    """The sandbox's own switches, of one channel that is not spared."""

    def begin(world: World, dice: random.Random) -> Undo:
        box = world.shops.box(dice.choice([name for name in world.channels if name not in spared]))
        box.faults = Faults(**fields)

        def undo() -> None:
            box.faults = Faults()

        return undo

    return begin


def off(world: World, dice: random.Random) -> Undo:
    """Nobody listens at the marketplace's address."""
    name = dice.choice(world.channels)
    url = world.shops.box(name).url
    world.shops.switch_off(name)
    return lambda: world.shops.switch_on(name, url)


def asked(action: str, lifted: str | None, body: Callable[[], Any] = dict) -> Begin:
    """A person does something to a channel over HTTP, and undoes it later."""

    def begin(world: World, dice: random.Random) -> Undo:
        name = dice.choice(world.channels)

        def ask(what: str | None) -> bool:
            if what is None:
                return True
            try:
                return world.api.send("POST", f"/api/v1/channels/{name}/{what}", body()).status < 300
            except NoAnswer:
                return False

        ask(action)
        return lambda: _until_done(lambda: ask(lifted))

    return begin


def gone(world: World, _: random.Random) -> Undo:
    """The endpoint wants no more messages; a person resumes it once the status says so."""
    script: deque[Step] = world.shops.box("webhook").script
    script.append(Step(status=410))
    return script.clear


def slow_and_stopped(world: World, dice: random.Random) -> Undo:
    """Every marketplace is slow, and a worker with full hands is stopped past its leases, or killed."""
    for name in world.channels:
        world.shops.box(name).faults = Faults(slow_seconds=0.8)
    time.sleep(2.0)
    pid = dice.choice(world.pids("deliver") or [0])
    killed = dice.random() < 0.3
    if pid:
        signalled(pid, signal.SIGKILL if killed else signal.SIGSTOP)
    for name in world.channels:
        world.shops.box(name).faults = Faults()
    return lambda: signalled(pid, signal.SIGCONT) if pid else None


def _until_done(ask: Callable[[], bool]) -> None:
    assert until(ask, 60.0), "a person's step is not taken"


OF_SHOPS = (
    Fault("marketplace: cut without an answer", switched(outage=True), (2.0, 12.0)),
    Fault("marketplace: 503 in HTML", switched(html_503=True), (2.0, 8.0)),
    Fault("marketplace: 429", switched(throttle_next=5), (2.0, 6.0)),
    Fault("marketplace: done, answer lost", switched(drop_answer_next=4), (3.0, 8.0)),
    Fault("marketplace: slow", switched(slow_seconds=1.5), (3.0, 10.0)),
    Fault("marketplace: hangs", switched(hang=True), (5.0, 24.0)),
    Fault("marketplace: tokens end", switched(expire_tokens=True), (1.0, 3.0)),
    Fault("marketplace: submissions hang", switched(DROPS, keep_pending=True), (4.0, 12.0)),
    Fault("marketplace: every second member fails", switched(fail_members=True), (3.0, 6.0)),
    Fault("marketplace: 410, wants no more", gone, (2.0, 4.0)),
    Fault("deliver stopped with full hands", slow_and_stopped, (7.0, 12.0)),
    Fault("marketplace: off for a while", off, (3.0, 20.0)),
    Fault("marketplace: off for longer", off, (26.0, 32.0), WAITING_WAYS),
    Fault("a person: pause and resume", asked("pause", "resume"), (2.0, 8.0)),
)
