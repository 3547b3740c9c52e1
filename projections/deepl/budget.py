"""How many characters a period may still cost: the account's own count, and what was sent since it was asked."""

import time
from collections.abc import Callable

from daybook.channel.contract import ChannelUnavailable
from daybook_projections.deepl.api import Api, Failure, failure

ASKED_SECONDS = 60.0
"""A count is good for so long: others may use the account as well."""
REACHED_SECONDS = 900.0


class Budget:
    """The characters that a person allows a period, kept to before anything is sent."""

    def __init__(self, api: Api, most: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._most = most
        self._clock = clock
        self._used: int | None = None
        self._asked_at = 0.0

    async def afford(self, characters: int) -> Failure | None:
        """None when so many may be sent, which then count. Raises Unanswered."""
        if self._most is None:
            return None
        if self._used is None or self._clock() - self._asked_at > ASKED_SECONDS:
            answer = await self._api.usage()
            used = answer.body.get("character_count") if isinstance(answer.body, dict) else None
            if answer.status != 200 or not isinstance(used, int):
                return failure(answer)
            self._used, self._asked_at = used, self._clock()
        if self._used + characters > self._most:
            said = f"{self._used:,} of the {self._most:,} characters of this period are used, {characters:,} more wait"
            return ChannelUnavailable(f"the budget is reached: {said}", REACHED_SECONDS)
        self._used += characters
        return None
