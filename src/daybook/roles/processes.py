"""The roles that a running Daybook is made of. Each is one process in production; `daybook up` runs them all.

Every role waits for its servers, finishes what is under way when it is told to stop, and may be killed at any moment.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Protocol

from daybook.app import App
from daybook.channel import personal
from daybook.channel.connection import connection_of
from daybook.channel.contract import Manifest
from daybook.channel.registry import Registry
from daybook.clock.clock import Clock
from daybook.config import Settings, hide
from daybook.delivery.process import DeliveryProcess
from daybook.errors import BadConfiguration, Unavailable
from daybook.policy.installed import POLICIES
from daybook.policy.runner import PolicyRunner
from daybook.projection.process import ProjectionProcess
from daybook.projection.starts import note_failures
from daybook.relay.relay import Relay
from daybook.roles.channel_supervisor import (
    LOOK_SECONDS,
    ChannelSupervisor,
    Job,
    NotStarted,
    Wanted,
    Work,
)
from daybook.stream.bell import Ringer
from daybook.stream.subjects import wake_log
from daybook.stream.witness import witnessed

log = logging.getLogger("daybook.roles")

Role = Callable[[Settings, asyncio.Event], Awaitable[None]]
Until = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
OWN_CONNECTIONS = 3
"""Of a process that works on channels, for looking up which there are, and for receipts into the log."""
API_CONNECTIONS_KEPT = 4
"""The write side's own: it goes on when everything else has taken what the server has."""


async def relay(settings: Settings, stop: asyncio.Event) -> None:
    """Publishes the log. Raises StreamAhead."""
    await Relay(settings.require_postgres(), settings.require_nats()).run(stop)


async def project(
    settings: Settings, stop: asyncio.Event, names: tuple[str, ...] = (), registry: Registry | None = None
) -> None:
    """Runs projections: those named, or all that there are, also those that come while it runs.

    Raises NotFound for a name that there is not when it begins.
    """
    # What a projection keeps are trees without cycles. Looking for garbage in them after every few hundred new objects,
    # as Python does, took a fifth of the time.
    gc.set_threshold(50_000, 20, 20)
    gc.freeze()
    with witnessed(settings.nats), App(settings, registry, connections=OWN_CONNECTIONS) as app:
        await _check(app, names, stop)
        process = ProjectionProcess(settings.require_postgres(), settings.require_nats())

        def wanted() -> Wanted:
            jobs: dict[str, Job | NotStarted] = {
                one.name: Job(one, partial(process.add, one)) for one in _chosen(app.registry, names)
            }
            return jobs | _broken(app.registry, names)

        supervisor = ChannelSupervisor("project", wanted, partial(note_failures, app.pool, "project"))
        await together(supervisor.run, process.run, stop)


async def together(supervise: Until, process: Until, stop: asyncio.Event) -> None:
    """Runs a process of many channels until what is begun for each has ended."""
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(process(ended))
        await supervise(stop)
        ended.set()
        await running


async def deliver(
    settings: Settings, stop: asyncio.Event, names: tuple[str, ...] = (), registry: Registry | None = None
) -> None:
    """Delivers to channels: those named, or all that have a connection, also those that come while it runs.

    A channel without credentials waits for them: its files are looked at again and again. Raises NotFound for a name
    that there is not when it begins.
    """
    ringer = Ringer(settings.require_nats(), wake_log())
    with witnessed(settings.nats), App(settings, registry, connections=OWN_CONNECTIONS) as app:
        try:
            await _check(app, names, stop)
            servers = settings.require_postgres(), settings.require_nats()
            process = DeliveryProcess(*servers, app.log, ringer.ring)
            told: set[str] = set()

            def wanted() -> Wanted:
                jobs: dict[str, Job | NotStarted] = {}
                for one in _chosen(app.registry, names):
                    if one.connector is not None:
                        jobs[one.name] = _delivery(app, process, one)
                # What came with a distribution and is not used is no trouble: it is said once.
                for name in sorted(app.registry.installed - set(names)):
                    if jobs.get(name) == NotStarted(_not_connected(settings, name)):
                        del jobs[name]
                        if name not in told:
                            log.warning("%s", _not_connected(settings, name))
                        told.add(name)
                return jobs | _broken(app.registry, names)

            supervisor = ChannelSupervisor("deliver", wanted, partial(note_failures, app.pool, "deliver"))
            await together(supervisor.run, process.run, stop)
        finally:
            ringer.close()


async def clock(settings: Settings, stop: asyncio.Event) -> None:
    """Makes due what was planned, and runs the policies. Several may run: one does, the others wait for its silence."""
    with witnessed(settings.nats), writing(settings) as app:
        policies: list[_Ticks] = [PolicyRunner(app.pool, app.log, app.reader, one, app.appended) for one in POLICIES]
        async with asyncio.TaskGroup() as group:
            for work in (Clock(app.pool, app.book), *policies):
                group.create_task(_ticking(work, stop))


class _Ticks(Protocol):
    """What does a step, and says after how long the next is due."""

    def tick(self) -> float: ...

    def stop(self) -> None: ...


async def _ticking(one: _Ticks, stop: asyncio.Event) -> None:
    try:
        while not stop.is_set():
            seconds = await asyncio.to_thread(one.tick)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await stop.wait()
    finally:
        await asyncio.to_thread(one.stop)


def _delivery(app: App, process: DeliveryProcess, manifest: Manifest) -> Job | NotStarted:
    settings = app.settings
    try:
        connection = connection_of(app.registry, settings, manifest)
    except BadConfiguration as error:
        return NotStarted(error.message)
    if not connection:
        return NotStarted(_not_connected(settings, manifest.name))

    def begin() -> Work:
        vault = personal.people.set(partial(_lookup, app))
        try:
            return process.add(manifest, manifest.connect(connection))
        finally:
            personal.people.reset(vault)

    return Job((manifest, connection), begin, partial(hide, connection=connection))


async def _lookup(app: App, person: str) -> personal.Person | None:
    """What is known of a person, read from the vault now."""
    found = await asyncio.to_thread(app.people.get_many, [person])
    return found.get(person)


def _not_connected(settings: Settings, name: str) -> str:
    return f"{name} is not connected: set {settings.place_of(name, 'url')}"


async def _check(app: App, names: tuple[str, ...], stop: asyncio.Event) -> None:
    """Raises NotFound for an unknown name; waits for Postgres, which knows the names that came at run time."""
    for name in names:
        while not stop.is_set():
            try:
                await asyncio.to_thread(app.registry.get, name)
                break
            except Unavailable as error:
                log.warning("waiting for Postgres: %s", error)
                await asyncio.sleep(LOOK_SECONDS)


def _chosen(registry: Registry, names: tuple[str, ...]) -> list[Manifest]:
    return [one for one in registry.all() if not names or one.name in names]


def _broken(registry: Registry, names: tuple[str, ...]) -> dict[str, NotStarted]:
    return {name: NotStarted(why) for name, why in registry.broken().items() if not names or name in names}


@contextmanager
def writing(settings: Settings, kept: int = 0) -> Iterator[App]:
    """The write side for an edge: after each commit it wakes the relay, when there is a NATS to ring through."""
    ringer = Ringer(settings.nats, wake_log()) if settings.nats else None
    try:
        with App(settings, appended=ringer.ring if ringer else None, kept=kept) as app:
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
