"""Going through the product groups of a moment, as far as one request's work may go."""

from collections.abc import Iterator

from daybook.events import Recorded
from daybook.log.reader import Reader

WALK_EVENTS_MAX = 5_000
"""Events that one request reads, but for the last group's: about half a second's worth."""
WALK_KEYS_MAX = 20_000
"""Groups that one request looks at, those that came later than its moment included."""
PAGE_KEYS = 100


class Walk:
    """The groups that had events at a position, in the database's order of their keys, each with its events.

    It ends when there are no more, and where the work of one request ends; `at` is then where the next one goes on.
    So a question that few groups answer takes many requests, none of which takes long.
    """

    def __init__(self, reader: Reader, after: str, position: int, *, bounded: bool = True) -> None:
        self._reader = reader
        self._position = position
        self._bounded = bounded
        self.at = after
        """The last group that was looked at."""
        self.ended = False
        """Whether there are no more."""

    def __iter__(self) -> Iterator[tuple[str, list[Recorded]]]:
        events = keys = 0
        while page := self._reader.groups_after(self.at, PAGE_KEYS):
            for key, first in page:
                if self._bounded and (events >= WALK_EVENTS_MAX or keys >= WALK_KEYS_MAX):
                    return
                self.at = key
                keys += 1
                if first <= self._position:
                    found = self._reader.of_key(key, self._position)
                    events += len(found)
                    yield key, found
        self.ended = True
