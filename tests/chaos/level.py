"""Waiting until everything is level, and telling what does not come to it."""

import time
from collections.abc import Callable

from tests.chaos import person
from tests.chaos.api import NoAnswer
from tests.chaos.world import World, until

LEVEL_SECONDS_MAX = 240.0
_UNSETTLED = """
SELECT 'facet of ' || d.channel, d.sku || ' ' || d.facet || ': ' || d.state || coalesce(', ' || l.last_error, '')
FROM deliveries d LEFT JOIN lanes l ON l.channel = d.channel AND l.lane = d.lane
WHERE d.state <> 'confirmed' OR d.desired IS DISTINCT FROM d.acknowledged
UNION ALL SELECT 'doubt', channel || ' ' || lane FROM doubts
UNION ALL SELECT 'lease without an owner', channel || ' ' || lane FROM lanes
    WHERE owner IS NULL AND leased_until IS NOT NULL
UNION ALL SELECT 'generation', projection || ' at ' || g.position::text FROM generations g JOIN projections p
    ON p.name = g.projection AND p.live = g.generation, head h WHERE g.position <> h.position
"""
_WITHOUT_TIME = """
SELECT d.channel, d.sku, d.facet, d.state FROM deliveries d
LEFT JOIN lanes l ON l.channel = d.channel AND l.lane = d.lane
WHERE d.state IN ('due', 'accepted') AND l.next_try IS NULL AND l.leased_until IS NULL
"""


class Level:
    """Brings everything to rest, and tells what does not come to it."""

    def __init__(self, world: World, on_progress: Callable[[str], None]) -> None:
        self._world, self._on_progress = world, on_progress
        self._since = 0
        self.seconds: list[float] = []
        """How long it took, each time."""

    def reach(self) -> list[str]:
        """Nothing when all is level in time; else what waits, and why."""
        began, self._since = time.monotonic(), len(self._world.steps)
        if not until(self._is_level, LEVEL_SECONDS_MAX, 0.5):
            return [f"not level after {LEVEL_SECONDS_MAX:.0f} s: {one}" for one in self._reasons()]
        self.seconds.append(round(time.monotonic() - began, 1))
        return []

    def _is_level(self) -> bool:
        waiting = person.waiting(self._world)
        if waiting is None:
            return False
        if person.follow(self._world, waiting, self._since):
            self._on_progress(f"a person's step: {self._world.steps[-1]}")
        return not waiting and not self._world.rows(_UNSETTLED) and self._is_ready()

    def _is_ready(self) -> bool:
        try:
            return self._world.api.get("/health/ready").status == 200
        except NoAnswer:
            return False

    def without_time(self) -> list[str]:
        """What is due although nobody will look at it."""
        return [f"due without a time: {row}" for row in self._world.rows(_WITHOUT_TIME)]

    def _reasons(self) -> list[str]:
        found: list[str] = []
        try:
            found.append(f"ready: {self._world.api.get('/health/ready').body}")
            found += [f"status: {one}" for one in self._world.api.get("/api/v1/status").body["waiting"]]
        except NoAnswer as nothing:
            found.append(str(nothing))
        return found + [f"{what}: {which}" for what, which in self._world.rows(_UNSETTLED)]
