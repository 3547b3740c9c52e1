"""When which fault happens: drawn from the seed, so that a run can be repeated; each kind has its turn."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import psutil
import psycopg

from daybook.errors import Unavailable
from tests.chaos.faults import Fault
from tests.chaos.watch import Watch
from tests.chaos.world import World


class Injected(msgspec.Struct, kw_only=True):
    """A fault that happened."""

    name: str
    round: int
    at: float
    """Seconds since the run began."""
    seconds: float
    """How long it lasted."""


class Lane:
    """A deck of faults that happen one after the other, with pauses. Decks are shuffled, and dealt to the end."""

    def __init__(self, name: str, faults: Sequence[Fault], seed: str, pause: tuple[float, float]) -> None:
        self.name = name
        self._faults = list(faults)
        self._dice = random.Random(f"{seed} {name}")
        self._pause = pause
        self._deck: list[Fault] = []

    def next(self) -> tuple[float, Fault, float, random.Random]:
        """A pause, the fault that follows, how long it lasts, and the dice for its own choices."""
        if not self._deck:
            self._deck = self._dice.sample(self._faults, len(self._faults))
        fault = self._deck.pop()
        return (
            self._dice.uniform(*self._pause),
            fault,
            self._dice.uniform(*fault.seconds),
            random.Random(self._dice.random()),
        )


class Storm:
    """The lanes' faults for a while, each lane in a thread of its own."""

    def __init__(self, world: World, watch: Watch, began: float, on_progress: Callable[[str], None]) -> None:
        self._world, self._watch, self._began, self._on_progress = world, watch, began, on_progress
        self.injected: list[Injected] = []
        self.failures: list[str] = []
        """Faults that could not be made or lifted: the chaos's own trouble."""

    def blow(self, lanes: Sequence[Lane], number: int, seconds: float, ended: threading.Event) -> None:
        """Returns when all that was begun is lifted."""
        deadline = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._lane, args=(lane, number, deadline, ended), name=lane.name) for lane in lanes
        ]
        for one in threads:
            one.start()
        try:
            for one in threads:
                while one.is_alive():  # a signal is handled between two looks
                    one.join(0.5)
        except BaseException:
            ended.set()
            for one in threads:
                one.join(30)
            raise

    def _lane(self, lane: Lane, number: int, deadline: float, ended: threading.Event) -> None:
        while True:
            pause, fault, seconds, dice = lane.next()
            if time.monotonic() + pause >= deadline or ended.wait(pause):
                return
            self._inject(fault, number, seconds, dice, ended)

    def _inject(self, fault: Fault, number: int, seconds: float, dice: random.Random, ended: threading.Event) -> None:
        began, lasted = time.monotonic(), 0.0
        self._on_progress(f"{fault.name}" + (f" for {seconds:.0f} s" if seconds else ""))
        since = self._watch.mark()
        try:
            try:
                undo = fault.begin(self._world, dice)
            except (Unavailable, psutil.NoSuchProcess, psycopg.OperationalError) as error:
                self._on_progress(f"{fault.name} can't be made now: {error}")  # its server has just been killed
                return
            try:
                ended.wait(seconds)
            finally:
                lasted = time.monotonic() - began
                # Asked before it is lifted: what waits is told while it lasts.
                if fault.told and lasted >= fault.told_after and not ended.is_set():
                    self._watch.expect(fault, since, lasted)
                undo()
        except Exception as error:
            self.failures.append(f"{fault.name}: {error!r}")
        at = began - self._began
        self.injected.append(Injected(name=fault.name, round=number, at=round(at, 1), seconds=round(lasted, 1)))

    def counts(self) -> Counter[str]:
        """Fault -> how often it happened."""
        return Counter(one.name for one in self.injected)
