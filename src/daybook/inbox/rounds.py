"""In which order messages are decided: of each SKU one after the other, of many SKUs at once. Pure.

A message that is refused may need one that was sent before it and is about another SKU, such as a variant its model. So
it is decided once more when all that were sent before it are done, and only then it is refused for good.
"""

from collections import deque
from collections.abc import Sequence

from daybook.inbox.message import InboxMessage


class Rounds:
    """A page of messages in the order in which they were sent."""

    def __init__(self, messages: Sequence[InboxMessage]) -> None:
        self._open = {one.sequence: one for one in sorted(messages, key=lambda one: one.sequence)}
        self._held: set[int] = set()
        self._of_sku: dict[str, deque[InboxMessage]] = {}
        for one in self._open.values():
            self._of_sku.setdefault(one.sku, deque()).append(one)

    def ready(self) -> list[InboxMessage]:
        """The next round: the first of each SKU, but for those that wait for what was sent before; [] at the end."""
        first = next(iter(self._open), 0)
        heads = [queue[0] for queue in self._of_sku.values()]
        return [one for one in heads if one.sequence == first or one.sequence not in self._held]

    def finish(self, message: InboxMessage) -> None:
        """It was decided for good."""
        del self._open[message.sequence]
        queue = self._of_sku[message.sku]
        queue.popleft()
        if not queue:
            del self._of_sku[message.sku]

    def hold(self, message: InboxMessage) -> bool:
        """It was refused: True when it waits for what was sent before it; False when nothing is left to wait for."""
        if message.sequence == next(iter(self._open)):
            return False
        self._held.add(message.sequence)
        return True
