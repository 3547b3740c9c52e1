"""The role `intake`: asks channels which of their orders changed, and takes what they and other systems told.

Of several processes one takes; the others wait until it is gone. Should two believe that they are it, each command is
still carried out once.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from daybook.access.authority import Principal
from daybook.app import App
from daybook.channel.connection import connection_of
from daybook.channel.contract import Manifest
from daybook.channel.orders import OrdersIn, TellsOrders, takes_orders
from daybook.channel.registry import Registry
from daybook.config import Settings, hide
from daybook.errors import BadConfiguration, DaybookError
from daybook.inbox.reader import InboxReader
from daybook.inbox.store import InboxStore
from daybook.inbox.taker import InboxTaker
from daybook.intake.cursors import OrderCursors
from daybook.intake.heard import BELL
from daybook.intake.poller import OrderPoller
from daybook.intake.taker import Taker
from daybook.postgres.pool import connect, reachable
from daybook.projection.starts import note_failures
from daybook.roles.channel_supervisor import ChannelSupervisor, Job, NotStarted, Wanted, Work
from daybook.roles.processes import together
from daybook.stream.bell import Ringer
from daybook.stream.subjects import wake_log
from daybook.stream.witness import witnessed

log = logging.getLogger("daybook.intake")

CONNECTIONS = 16
AGAIN_SECONDS = 1.0
LISTENED_SECONDS = 1.0
"""Without a bell it is looked up so often what waits: a notification can be lost with its connection."""
TURN = 0x6461796F  # 'dayo'


async def intake(
    settings: Settings,
    stop: asyncio.Event,
    authorise: Callable[[App, Principal, object], str | None],
    names: tuple[str, ...] = (),
    registry: Registry | None = None,
) -> None:
    """Polls and takes: those named, or all that let their orders in, also those that come while it runs; and the inbox.

    `authorise` says how what other systems publish is allowed, or raises Forbidden.
    """
    ringer = Ringer(settings.require_nats(), wake_log())
    with witnessed(settings.nats), App(settings, registry, ringer.ring, connections=CONNECTIONS) as app:
        ending = threading.Event()
        taking = asyncio.create_task(asyncio.to_thread(_take, app, names, ending))
        cursors = OrderCursors(app.pool)

        def wanted() -> Wanted:
            return {
                one.name: job
                for one in app.registry.channels()
                if (not names or one.name in names) and (job := _polling(app, one, cursors)) is not None
            }

        supervisor = ChannelSupervisor("intake", wanted, partial(note_failures, app.pool, "intake"))
        try:
            await together(supervisor.run, _inbox(app, authorise).run, stop)
        finally:
            ending.set()
            await taking
            ringer.close()


def _inbox(app: App, authorise: Callable[[App, Principal, object], str | None]) -> InboxReader:
    store = InboxStore(app.pool)
    taker = InboxTaker(app.book, store, app.access.state, partial(authorise, app))
    return InboxReader(app.settings.require_postgres(), app.settings.require_nats(), store, taker)


def _polling(app: App, manifest: Manifest, cursors: OrderCursors) -> Job | NotStarted | None:
    """The work of asking a channel; None for one whose orders come another way."""
    rules = manifest.orders
    if rules is None:
        return None
    try:
        connection = connection_of(app.registry, app.settings, manifest)
    except BadConfiguration as error:
        return NotStarted(error.message)
    if not takes_orders(connection):
        cursors.want(manifest.name, False)
        return None

    def begin() -> Work:
        connector = manifest.connect(connection)
        if not isinstance(connector, TellsOrders):
            raise BadConfiguration(f"{manifest.name} says how orders are read, and can't be asked for them")
        cursors.want(manifest.name, True)
        first = datetime.now(UTC) - timedelta(seconds=rules.overlap_seconds)
        return OrderPoller(manifest.name, connector, rules, app.heard, cursors, first)

    return Job((manifest, connection), begin, partial(hide, connection=connection))


def _take(app: App, names: tuple[str, ...], ending: threading.Event) -> None:
    """Takes what waits until it is told to end, whatever happens to the servers meanwhile."""
    taker = Taker(app.book, app.orders, app.log, app.heard)
    while not ending.is_set():
        try:
            _take_while_ours(app, taker, names, ending)
        except DaybookError as error:
            log.warning("orders are not taken at present: %s", error)
            ending.wait(AGAIN_SECONDS)


def _take_while_ours(app: App, taker: Taker, names: tuple[str, ...], ending: threading.Event) -> None:
    with reachable(), connect(app.settings.require_postgres(), "intake") as conn:
        conn.execute(f"LISTEN {BELL}")
        while not ending.is_set():
            mine = conn.execute("SELECT pg_try_advisory_lock(%s)", (TURN,)).fetchone()
            if mine == (True,):
                break
            ending.wait(AGAIN_SECONDS)
        while not ending.is_set():
            conn.execute("SELECT 1")  # the turn ends with the connection
            if taker.take_page(_channels(app, names)) == 0:
                for _ in conn.notifies(timeout=LISTENED_SECONDS, stop_after=1):
                    pass


def _channels(app: App, names: tuple[str, ...]) -> Mapping[str, OrdersIn]:
    return {
        one.name: one.orders
        for one in app.registry.channels()
        if one.orders is not None and (not names or one.name in names)
    }
