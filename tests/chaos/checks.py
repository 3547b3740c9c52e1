"""The invariants at a quiet point, each a question with a list of what is wrong as its answer."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.chaos import shelves
from tests.chaos.book import Book
from tests.chaos.level import Level
from tests.chaos.loads import Bulk, drop_rebuilt
from tests.chaos.past import Past
from tests.chaos.truth import Truth
from tests.chaos.watch import Watch
from tests.chaos.world import World, decoded

Check = tuple[str, Callable[[], Sequence[str]]]
READ_MODELS = ("timeline",)


class Checks:
    """All invariants of one run."""

    def __init__(
        self, world: World, truth: Truth, bulk: Bulk, past: Past, watch: Watch, level: Level, seed: str
    ) -> None:
        self._world, self._truth, self._bulk = world, truth, bulk
        self._past, self._watch, self._level = past, watch, level
        self._dice = random.Random(f"{seed} checks")
        self.book = Book(world, truth)
        self.done = 0
        """How many checks were made."""

    def begin_anew(self) -> None:
        """The log is another one than the one that was read."""
        self.book = Book(self._world, self._truth)

    def at_rest(self, last: bool) -> dict[str, list[str]]:
        """Invariant -> what breaks it. `last`: everything is asked, not a sample."""
        found: dict[str, list[str]] = {}
        for name, check in self._all(last):
            wrong = list(check())
            self.done += 1
            if wrong:
                found[name] = wrong
        return found

    def _all(self, last: bool) -> tuple[Check, ...]:
        states = shelves.expected(self._truth, self._bulk.expected)
        return (
            ("acknowledged exactly once, dense, and nothing impossible", self.book.wrong),
            ("every answer is one that faults excuse", lambda: self._truth.surprises),
            ("the status tells what waits while faults last", lambda: self._watch.silences),
            ("nothing is due without a time", self._level.without_time),
            ("the book says what was acknowledged", lambda: shelves.wrong_in_the_book(self._world, states)),
            ("each marketplace shows exactly the newest state", lambda: shelves.wrong(self._world, states)),
            ("nothing is sent once level", lambda: shelves.sent_once_level(self._world)),
            ("answers about the past stay", lambda: self._past.differing(last)),
            ("a rebuild changes nothing", lambda: self._rebuilds(last)),
            ("`daybook log verify` finds nothing", self._verify),
        )

    def _rebuilds(self, last: bool) -> list[str]:
        names = (*self._world.channels, *READ_MODELS)
        return [wrong for name in (names if last else [self._dice.choice(names)]) for wrong in self._rebuild(name)]

    def _rebuild(self, name: str) -> list[str]:
        done = self._world.run("channel", "rebuild", name, "--fresh", "--json")
        if done.returncode != 0:
            return [f"a rebuild of {name} ended with {done.returncode}: {done.stderr}"]
        plan: Mapping[str, Any] = decoded(done.stdout)["plan"]
        counts = {field: plan[field] for field in ("added", "changed", "removed", "held", "calls", "moving", "behind")}
        if not drop_rebuilt(self._world, name):
            return [f"what the rebuild of {name} made can't be dropped"]
        return [f"the plan of {name} is not empty: {counts} {plan['fields']}"] if any(counts.values()) else []

    def _verify(self) -> list[str]:
        done = self._world.run("log", "verify", "--json")
        return [] if done.returncode == 0 else [f"exit {done.returncode}: {done.stdout} {done.stderr}"]
