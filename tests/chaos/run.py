"""A run: rounds of a storm and a quiet point, until the time is over or an invariant is broken."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.chaos import faults, groups, shop_faults, stream_faults
from tests.chaos.api import NoAnswer
from tests.chaos.checks import Checks
from tests.chaos.level import Level
from tests.chaos.loads import Bulk
from tests.chaos.older_copy import fail_over
from tests.chaos.past import Past
from tests.chaos.plan import Lane, Storm
from tests.chaos.report import Result, keep
from tests.chaos.truth import Truth, Wish
from tests.chaos.watch import Watch
from tests.chaos.wishes import Catalogue, definitions
from tests.chaos.world import World, until, world
from tests.chaos.writers import Writer, carry_out, new_id, pause_all

CHANNELS = ("amazon", "bol", "google", "shopify", "webhook", "webshop")
GROUPS = 2
FAIL_OVER_EVERY = 3
"""Rounds."""
STORM_SECONDS = 75.0
PAUSE_SECONDS_MAX = 90.0
"""So long after the last fault may an open command take to be answered."""


class Options:
    """How long, how hard, and by which dice."""

    def __init__(self, minutes: float, seed: str, writers: int = 4, pause: float = 0.5) -> None:
        self.minutes, self.seed, self.writers, self.pause = minutes, seed, writers, pause


class Run:
    """One run on a folder of its own."""

    def __init__(self, options: Options, data: Path, quiet: bool = False) -> None:
        self._options, self._data, self._quiet = options, data, quiet
        self._began = time.monotonic()
        self._ended = threading.Event()
        self.result = Result(seed=options.seed, minutes=options.minutes, channels=CHANNELS)

    def go(self) -> Result:
        """Runs to the end. What was found is in the result, whatever ends it."""
        truth, result = Truth(), self.result
        with world(self._data, CHANNELS, self.say) as made:
            try:
                self._rounds(made, truth)
            except Exception as error:
                result.broken = {**result.broken, "the run itself": [repr(error)]}
                self.say(f"the run ends: {error!r}")
            result.seconds = time.monotonic() - self._began
            if result.broken:
                result.kept = str(keep(result, made, truth.all()))
        return result

    def say(self, what: str) -> None:
        """For people who look on."""
        if not self._quiet:
            sys.stderr.write(f"{time.monotonic() - self._began:7.1f} s  {what}\n")

    def _rounds(self, made: World, truth: Truth) -> None:
        seed = self._options.seed
        names = [f"writer{number}" for number in range(1, self._options.writers + 1)]
        catalogue = Catalogue(CHANNELS, names, each=5, hot=3, pause=self._options.pause)
        self._begin(made, truth, catalogue)
        bulk = Bulk(truth, CHANNELS)
        lanes = [
            Lane("roles", faults.OF_ROLES, seed, (1.0, 8.0)),
            Lane("servers", (*faults.OF_SERVERS, *stream_faults.OF_THE_STREAM), seed, (1.0, 8.0)),
            Lane("marketplaces", shop_faults.OF_SHOPS, seed, (0.5, 5.0)),
            Lane("work", bulk.faults(), seed, (4.0, 12.0)),
        ]
        deadline = self._began + self._options.minutes * 60
        with self._together(made, truth, catalogue, bulk, names) as crew:
            while not self.result.broken:
                self.result.rounds += 1
                seconds = min(STORM_SECONDS, max(20.0, deadline - time.monotonic() - 45.0))
                self._round(crew, lanes, seconds, deadline)
                if not self.result.broken and self.result.rounds % FAIL_OVER_EVERY == 0:
                    self._fail_over(crew, catalogue)
                crew.sum_up(self.result)
                if time.monotonic() + 60 >= deadline:
                    break

    def _begin(self, made: World, truth: Truth, catalogue: Catalogue) -> None:
        self.say(f"seed {self._options.seed}, {self._options.minutes:g} minutes, on {self._data}")
        for path, body in definitions():
            wish = Wish(id=new_id(), sku="", method="PUT", path=path, body=body, effect={})
            carry_out(made.api, truth, wish, lambda: False)
        grouped = [one for number in range(1, GROUPS + 1) for one in groups.of(number, CHANNELS)]
        for wish in [*catalogue.first(), *(catalogue.wish(sku, one) for sku, one in grouped)]:
            carry_out(made.api, truth, wish, lambda: False)
        catalogue.own_variants([sku for number in range(1, GROUPS + 1) for sku in groups.variants(number)])
        assert not truth.surprises, truth.surprises
        assert until(lambda: len(made.rows("SELECT 1 FROM projections")) > len(CHANNELS), 60), "a projection is missing"

    @contextlib.contextmanager
    def _together(
        self, made: World, truth: Truth, catalogue: Catalogue, bulk: Bulk, names: Sequence[str]
    ) -> Iterator["Crew"]:
        seed = self._options.seed
        writers = [Writer(name, made.api, truth, catalogue, Random(f"{seed} {name}")) for name in names]
        watch, past, level = Watch(made), Past(made, truth, seed), Level(made, self.say)
        checks = Checks(made, truth, bulk, past, watch, level, seed)
        try:
            yield Crew(made, truth, writers, watch, past, level, checks, Storm(made, watch, self._began, self.say))
        finally:
            self._ended.set()
            for one in writers:
                one.end()
            watch.end()
            past.end()
            for one in writers:
                one.join()

    def _fail_over(self, crew: "Crew", catalogue: Catalogue) -> None:
        self.say("Postgres is replaced by an older copy of itself")
        wrong = fail_over(crew.made, crew.truth, catalogue, crew.writers, crew.past, crew.level)
        crew.checks.begin_anew()
        broken = {"everything becomes level after a failover": wrong} if wrong else crew.checks.at_rest(last=False)
        self.result.broken = broken
        self.say(f"{crew.made.steps[-1]}: " + ("BROKEN " + "; ".join(broken) if broken else "all invariants hold"))

    def _round(self, crew: "Crew", lanes: Sequence[Lane], seconds: float, deadline: float) -> None:
        for one in crew.writers:
            one.go()
        crew.storm.blow(lanes, self.result.rounds, seconds, self._ended)
        self.say("all faults are lifted; the writers come to rest")
        broken: dict[str, list[str]] = {}
        if open_ones := pause_all(crew.writers, PAUSE_SECONDS_MAX):
            broken["a command is answered"] = [f"{one} waits for its last answer" for one in open_ones]
        if crew.storm.failures:
            broken["a fault can be made and lifted"] = list(crew.storm.failures)
        if unsettled := crew.level.reach():
            broken["everything becomes level"] = unsettled
        if not broken:
            self.say(f"level after {crew.level.seconds[-1]:.0f} s")
            try:
                broken = crew.checks.at_rest(time.monotonic() + 60 >= deadline)
            except NoAnswer as nothing:
                broken["the API answers at rest"] = [str(nothing)]
        self.result.broken = broken
        self.say(f"round {self.result.rounds}: " + ("BROKEN " + "; ".join(broken) if broken else "all invariants hold"))


@dataclass(frozen=True)
class Crew:
    """All that works together in a run."""

    made: World
    truth: Truth
    writers: Sequence[Writer]
    watch: Watch
    past: Past
    level: Level
    checks: Checks
    storm: Storm

    def sum_up(self, result: Result) -> None:
        """What there is to tell by now."""
        result.acknowledged, result.answers = self.truth.acknowledged(), dict(self.truth.answers)
        result.tries = sum(one.tries for one in self.truth.all().values())
        result.events, result.checks = self.checks.book.events, self.checks.done
        result.told, result.past = dict(self.watch.ways()), len(self.past.noted)
        result.faults, result.steps = list(self.storm.injected), list(self.made.steps)
        result.level_seconds = list(self.level.seconds)
