"""`daybook demo`: real servers, real roles, three marketplaces' sandboxes, and a story whose every claim is checked."""

import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from daybook.channel.registry import installed
from daybook.config import Settings
from daybook.demo import catalogue
from daybook.demo.chapters import Story
from daybook.demo.claims import Claims
from daybook.demo.marketplaces import Marketplaces
from daybook.demo.telling import Telling
from daybook.embedded import servers
from daybook.embedded.servers import Servers
from daybook.embedded.supervisor import Supervisor, sigterm_interrupts
from daybook.postgres.migrate import migrate
from daybook.roles import processes

ROLES = ("relay", "project", "deliver")


def run(data: Path | None, products: int, keep: bool, as_json: bool) -> int:
    """Runs the demo in a fresh folder (or in `data`) and returns the exit code: 0 when every claim held.

    `keep` leaves everything running, with the API, until Ctrl-C.
    """
    folder = data or Path(tempfile.mkdtemp(prefix="daybook-demo-"))
    told = Telling(as_json)
    claims = Claims()
    started = time.monotonic()
    with sigterm_interrupts(), ExitStack() as stack:
        if data is None:
            stack.callback(_remove, folder)
        with told.doing("starting Postgres and NATS"):
            running = stack.enter_context(Servers.start(folder))
            migrate(running.postgres_dsn)
        markets = Marketplaces(installed(), catalogue.CHANNELS)
        stack.callback(markets.stop)
        supervisor = Supervisor(folder)
        stack.callback(supervisor.stop)
        settings = Settings(data=folder, postgres=running.postgres_dsn, nats=running.nats_url)
        _start(supervisor, settings, markets, (*ROLES, "api") if keep else ROLES)
        app = stack.enter_context(processes.writing(settings))
        story = Story(app, markets, running.nats_url, claims)
        _tell(story, told, products)
        told.end(claims, time.monotonic() - started)
        if keep:
            told.keeping(settings, {name: box.settings()["url"] for name, box in markets.all().items()})
            supervisor.wait()
    return 0 if claims.hold else 1


def _tell(story: Story, told: Telling, products: int) -> None:
    with told.importing(products) as progress:
        report = story.import_catalogue(products, progress)
    with told.doing("bringing the catalogue to three marketplaces"):
        seconds = story.wait_level()
    told.imported(report, seconds)
    told.channels(story.channels())
    change = story.price_change()
    told.trace(change)
    with told.doing("taking a channel offline while prices change"):
        outage = story.outage()
    told.outage(outage)
    told.history(change.sku, story.history(change.sku))
    told.before(change.sku, change.position, *story.before(change.sku, change.position))
    told.refusals(story.refusals())


def _start(supervisor: Supervisor, settings: Settings, markets: Marketplaces, names: tuple[str, ...]) -> None:
    environment = {
        **markets.environment(),
        "DAYBOOK_DATA": str(settings.data),
        "DAYBOOK_POSTGRES": settings.require_postgres(),
        "DAYBOOK_NATS": settings.require_nats(),
    }
    for name in names:
        supervisor.run(name, [sys.executable, "-P", "-m", "daybook", "run", name], environment)


def _remove(folder: Path) -> None:
    servers.forget(folder)
    shutil.rmtree(folder)
