"""What the demo says is true, and whether it was: a claim is printed only with its check."""

import time
from collections.abc import Callable

import msgspec

from daybook.errors import Unavailable


class Claim(msgspec.Struct, frozen=True):
    """One sentence and whether it held."""

    says: str
    holds: bool
    found: str = ""


class Claims:
    """Collects claims. The demo succeeds when every one holds."""

    def __init__(self) -> None:
        self.all: list[Claim] = []

    def check(self, says: str, holds: bool, found: object = "") -> Claim:
        """Records a claim with what was found."""
        claim = Claim(says, bool(holds), str(found))
        self.all.append(claim)
        return claim

    @property
    def hold(self) -> bool:
        """Whether all of them hold."""
        return bool(self.all) and all(claim.holds for claim in self.all)


def until(what: str, condition: Callable[[], bool], timeout: float = 60.0, every: float = 0.02) -> float:
    """Waits for what must come about and returns the seconds that it took. Raises Unavailable after `timeout`."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > timeout:
            raise Unavailable(f"waited {timeout:.0f} s for {what}, in vain")
        time.sleep(every)
    return time.monotonic() - started
