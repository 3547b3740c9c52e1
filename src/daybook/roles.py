"""The roles that a running Daybook is made of. Each is one process in production; `daybook up` runs them all.

Every role waits for its servers, finishes what is under way when it is told to stop, and may be killed at any moment.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from daybook.app import App
from daybook.channel.contract import Manifest
from daybook.channel.delivery import Delivery
from daybook.channel.registry import Registry, installed
from daybook.channel.runner import Runner
from daybook.config import Settings
from daybook.errors import BadConfiguration
from daybook.relay.relay import Relay
from daybook.stream.bell import Ringer
from daybook.stream.subjects import wake_log

log = logging.getLogger("daybook.roles")

Role = Callable[[Settings, asyncio.Event], Awaitable[None]]


async def relay(settings: Settings, stop: asyncio.Event) -> None:
    """Publishes the log. Raises StreamAhead."""
    await Relay(settings.require_postgres(), settings.require_nats()).run(stop)


async def project(settings: Settings, stop: asyncio.Event, names: tuple[str, ...] = ()) -> None:
    """Runs projections: those named, or all that are installed."""
    # What a projection keeps are trees without cycles. Looking for garbage in them after every few hundred new objects,
    # as Python does, took a fifth of the time.
    gc.set_threshold(50_000, 20, 20)
    gc.freeze()
    async with asyncio.TaskGroup() as group:
        for manifest in _chosen(installed(), names):
            runner = Runner(manifest, settings.require_postgres(), settings.require_nats())
            group.create_task(runner.run(stop), name=f"project {manifest.name}")


async def deliver(settings: Settings, stop: asyncio.Event, names: tuple[str, ...] = ()) -> None:
    """Delivers to channels: those named, or all that have a URL (DAYBOOK_CHANNEL_<NAME>_URL)."""
    ringer = Ringer(settings.require_nats(), wake_log())
    with App(settings) as app:
        try:
            async with asyncio.TaskGroup() as group:
                for manifest in _chosen(app.registry, names):
                    given = settings.channels.get(manifest.name)
                    if manifest.connector is None:
                        continue
                    if given is None:
                        if names:
                            variable = f"DAYBOOK_CHANNEL_{manifest.name.upper()}_URL"
                            raise BadConfiguration(f"{manifest.name} has no connection: set {variable}")
                        log.warning(
                            "%s is not connected: set DAYBOOK_CHANNEL_%s_URL", manifest.name, manifest.name.upper()
                        )
                        continue
                    worker = Delivery(
                        manifest,
                        manifest.connector(given),
                        settings.require_postgres(),
                        settings.require_nats(),
                        app.log,
                        ringer.ring,
                    )
                    group.create_task(worker.run(stop), name=f"deliver {manifest.name}")
                group.create_task(stop.wait())
        finally:
            ringer.close()


def _chosen(registry: Registry, names: tuple[str, ...]) -> list[Manifest]:
    return [registry.get(name) for name in names] if names else registry.all()


@contextmanager
def writing(settings: Settings) -> Iterator[App]:
    """The write side for an edge: after each commit it wakes the relay, when there is a NATS to ring through."""
    ringer = Ringer(settings.nats, wake_log()) if settings.nats else None
    try:
        with App(settings, appended=ringer.ring if ringer else None) as app:
            yield app
    finally:
        if ringer is not None:
            ringer.close()


def run(role: Role, settings: Settings) -> None:
    """Runs a role until SIGINT or SIGTERM, then lets it finish what is under way."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows has no signal handlers in the loop
                loop.add_signal_handler(name, stop.set)
        await role(settings, stop)

    asyncio.run(main())
