"""What the status says while faults last: the lights must not be green then."""

import threading
import time
from collections import Counter
from collections.abc import Mapping

from tests.chaos.api import NoAnswer
from tests.chaos.faults import Fault
from tests.chaos.world import World

EVERY_SECONDS = 1.0


class Watch:
    """Asks for the status and for readiness once a second, from a thread of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: list[tuple[float, str, bool]] = []
        """(when, way of waiting, overdue); way `unanswered` when nobody could say, `unready` for a 503."""
        self._looks: list[float] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.silences: list[str] = []
        """Faults of which nothing was told."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def mark(self) -> float:
        """Now."""
        return time.monotonic()

    def ways(self) -> Counter[str]:
        """Way of waiting -> in how many looks it was told."""
        with self._lock:
            return Counter(way for _, way, _ in self._seen)

    def expect(self, fault: Fault, since: float, lasted: float) -> None:
        """Notes when a fault that lasts was told in none of its ways."""
        with self._lock:
            seen = Counter(way for at, way, _ in self._seen if at >= since)
            looks = sum(at >= since for at in self._looks)
        if (silent := silence(fault, seen, looks, lasted)) is not None:
            self.silences.append(silent)

    def end(self) -> None:
        """Ends the thread."""
        self._ended.set()
        self._thread.join(40)

    def _run(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            found = self._look()
            at = time.monotonic()
            with self._lock:
                self._looks.append(at)
                self._seen += [(at, way, late) for way, late in found]

    def _look(self) -> list[tuple[str, bool]]:
        try:
            status = self._world.api.get("/api/v1/status")
            ready = self._world.api.get("/health/ready")
        except NoAnswer:
            return [("unanswered", True)]
        if status.status != 200:
            return [("unanswered", True)]
        found = [(one["kind"], one["overdue"]) for one in status.body["waiting"]]
        return found + ([("unready", True)] if ready.status != 200 else [])


def silence(fault: Fault, seen: Mapping[str, int], looks: int, lasted: float) -> str | None:
    """That none of the fault's ways was told; None when one was, or when nobody was there who could say."""
    if seen.get("unanswered", 0) * 3 >= looks or seen.keys() & set(fault.told):
        return None
    return f"{fault.name} for {lasted:.0f} s: the status told only {dict(seen)}"
