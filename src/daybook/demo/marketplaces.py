"""The marketplaces' sandboxes in one thread, for the demo and for trying Daybook without any account."""

import asyncio
import threading
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

from daybook.channel.contract import Sandbox
from daybook.channel.registry import Registry

T = TypeVar("T")


class Marketplaces:
    """The channels' sandboxes, listening on the loopback interface until `stop`: all, or those that are named."""

    def __init__(self, registry: Registry, names: Collection[str] = ()) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="marketplaces", daemon=True)
        self._thread.start()
        self._boxes = {
            one.name: one.sandbox()
            for one in registry.channels()
            if one.sandbox is not None and (not names or one.name in names)
        }
        for box in self._boxes.values():
            self._wait(box.start())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def box(self, name: str) -> Any:
        """One sandbox, with whatever its class offers: faults, what it received, what it shows."""
        return self._boxes[name]

    def all(self) -> dict[str, Sandbox]:
        """Every sandbox by channel."""
        return dict(self._boxes)

    def environment(self) -> dict[str, str]:
        """What the delivery must be told to reach them: DAYBOOK_CHANNEL_<NAME>_<KEY>."""
        return {
            f"DAYBOOK_CHANNEL_{name.upper()}_{key.upper()}": value
            for name, box in self._boxes.items()
            for key, value in box.settings().items()
        }

    def stop(self) -> None:
        """Stops all of them."""
        for box in self._boxes.values():
            self._wait(box.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
