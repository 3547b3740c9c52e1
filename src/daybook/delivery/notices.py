"""What a delivery worker writes into its log about its channel: down and back again, stopped, and what it refused."""

import logging
from collections.abc import Iterable

from daybook.channel.contract import Rejected
from daybook.delivery.breaker import Breaker
from daybook.delivery.lane_results import LaneResult

log = logging.getLogger("daybook.delivery")


class Notices:
    """One channel's. Each change is said once: an outage does not fill the disk."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._down = False

    def breaker(self, breaker: Breaker) -> None:
        """Says that the channel went down, or answers again, whoever found out."""
        if breaker.open == self._down:
            return
        self._down = breaker.open
        fields = {"channel": self._channel, "failures": breaker.failures, "reason": breaker.reason}
        if self._down:
            text = "%s does not answer, %d failures in a row: %s. One product is tried now and then"
            log.warning(text, self._channel, breaker.failures, breaker.reason or "no reason was given", extra=fields)
        else:
            log.info("%s answers again", self._channel, extra={"channel": self._channel})

    def stopped(self, reason: str) -> None:
        """Says that the channel wants no more calls."""
        text = "%s asked not to be called any more, and is paused: %s"
        log.warning(text, self._channel, reason, extra={"channel": self._channel, "reason": reason})

    def refused(self, batch: Iterable[LaneResult]) -> None:
        """Says what the channel refused: one line for all that was recorded together."""
        found = [one for done in batch for one in done.results if isinstance(one.outcome, Rejected)]
        if not found:
            return
        first = found[0].row.sku
        assert isinstance(found[0].outcome, Rejected)
        why = "; ".join(f"{one.code} {one.message}".strip() for one in found[0].outcome.reasons[:3])
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        fields = {"channel": self._channel, "sku": first, "count": len(found), "reason": why}
        log.warning("%s refused %s%s: %s", self._channel, first, more, why, extra=fields)
