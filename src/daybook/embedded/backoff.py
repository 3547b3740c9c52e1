"""How long a program that ended waits before it is started again."""

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 5.0
_HEALTHY_AFTER = 30.0


class Backoff:
    """Doubles the delay between starts: 0.2 s, 0.4 s, up to 5 s.

    A program that ran for 30 s counts as healthy again and starts over at 0.2 s.
    """

    def __init__(self) -> None:
        self.delay = _FIRST_DELAY
        """Seconds until the next start."""

    def take(self, ran: float = 0.0) -> float:
        """Return the delay after a run of `ran` seconds; the one after it is longer."""
        taken = _FIRST_DELAY if ran >= _HEALTHY_AFTER else self.delay
        self.delay = min(taken * 2, _LONGEST_DELAY)
        return taken
