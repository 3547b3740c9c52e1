"""A book that an older version kept opens, migrates, and goes on where it stood.

`tests/fixtures/books/` has dumps (`pg_dump --inserts`) of small books that were made up for this, each named for the
commit whose program kept it while it ran. In the one of a58f5a7 webshop is paused with changes that wait, bol has a
rejected offer and a rebuild that was never applied, and the endpoint crm has never had its secret.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from daybook.channel.contract import Manifest, Sandbox
from daybook.channel.registry import Registry, installed
from daybook.commands import ChangePrice, CountStock
from daybook.config import Settings
from daybook.postgres.migrate import migrate
from daybook.queries.timeline import Folded, catalogue_at, groups
from daybook.roles import processes
from tests.fixtures.commandline import Daybook
from tests.fixtures.log_events import every_event
from tests.fixtures.pipeline import Pipeline, folded, listings, until
from tests.fixtures.rebuilding import rebuilt

pytestmark = pytest.mark.long

BOOK = Path(__file__).parents[1] / "fixtures" / "books" / "a58f5a7.sql.gz"
HEAD = 95
SOLD_ON_TRAY = ("amazon", "bol", "crm", "shopify", "webshop")


def events(dsn: str) -> list[Any]:
    """The events in the columns that an older book has."""
    columns = (
        "position, event_id, stream, version, type, sku, key, recorded_at, actor, reason, source, correlation_id, "
        "causation_id, command_id, intent, data"
    )
    with psycopg.connect(dsn) as conn:
        query = f"SELECT ({columns})::text FROM events WHERE position <= %s ORDER BY position"
        return conn.execute(query.encode(), (HEAD,)).fetchall()


def positions(dsn: str) -> dict[str, int]:
    """Where each live generation stands; -1 for one that has failed."""
    with psycopg.connect(dsn) as conn:
        return dict(
            conn.execute(
                "SELECT p.name, CASE WHEN g.failure IS NULL AND g.reference_from IS NULL THEN g.position ELSE -1 END "
                "FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live"
            ).fetchall()
        )


def shows(box: Sandbox, sku: str, price: str) -> bool:
    """Whether the marketplace has this price for the SKU."""
    return price in str(box.shown().get(sku))


@pytest.fixture
def book(empty_database: str) -> str:
    """The older book, restored and migrated; its events are those that it had."""
    with psycopg.connect(empty_database, autocommit=True) as conn:
        conn.execute(gzip.decompress(BOOK.read_bytes()))
    before = events(empty_database)
    assert migrate(empty_database) and migrate(empty_database) == []
    assert len(before) == HEAD and events(empty_database) == before
    return empty_database


@pytest.fixture
async def endpoints(tmp_path: Path) -> AsyncIterator[dict[str, Sandbox]]:
    """The shop and the endpoint, which know nothing yet, and their credentials where they are looked for."""
    found: dict[str, Sandbox] = {}
    for name, kind in (("webshop", "webshop"), ("crm", "webhook")):
        manifest = installed().get(kind)
        assert manifest.sandbox is not None
        box = manifest.sandbox()
        found[name] = box
        await box.start()
        file = tmp_path / f"{name}.toml"
        file.touch(mode=0o600)
        file.write_text("".join(f'{key} = "{value}"\n' for key, value in box.settings().items()))
    yield found
    for box in found.values():
        await box.stop()


async def test_the_log_of_an_older_book_holds_and_every_projection_goes_on(
    book: str, nats_url: str, tmp_path: Path
) -> None:
    manifests = installed().all()
    async with Pipeline(book, nats_url, *manifests) as pipeline:
        pipeline.relay()
        settings = Settings(data=tmp_path, postgres=book, nats=nats_url)
        pipeline.start(partial(processes.project, settings, registry=Registry(list(manifests))))
        await pipeline.carry_out(
            ChangePrice(sku="TRAY", amount="17.95", currency="EUR"), CountStock(sku="MUG-1-RED", quantity=4)
        )
        head = pipeline.head()
        names = {one.name for one in manifests} | {"crm"}
        await until(lambda: positions(book) == dict.fromkeys(names, head), f"all are at {head}: {positions(book)}")
        for name in SOLD_ON_TRAY:
            assert "17.95" in str(listings(book, name)), name

        daybook = Daybook({"DAYBOOK_POSTGRES": book, "DAYBOOK_NATS": nats_url, "DAYBOOK_DATA": str(tmp_path)})
        answer = await asyncio.to_thread(daybook, "log", "verify")
        assert (answer.code, answer.stderr) == (0, "")
        app = pipeline.app
        for manifest in (*manifests, renamed(app.registry.get("webhook"), "crm")):
            done = await rebuilt(book, manifest, apply=True)
            assert done.switched is not None
            assert listings(book, manifest.name) == folded(manifest, every_event(app.reader, head)), manifest.name
        for position in range(0, head + 1, 9):
            then = catalogue_at(app.pool, app.reader, app.registry, position)
            assert then.indexed, then.reason
            assert list(groups(then)) == list(groups(Folded(app.reader, app.registry.get("timeline"), position)))


def renamed(manifest: Manifest, name: str) -> Manifest:
    """The same kind of channel under another name."""
    assert manifest.renamed_to is not None
    return manifest.renamed_to(name)


async def test_what_waited_in_an_older_book_is_delivered(
    book: str, nats_url: str, tmp_path: Path, endpoints: dict[str, Sandbox]
) -> None:
    manifests = installed().all()
    async with Pipeline(book, nats_url, *manifests) as pipeline:
        pipeline.relay()
        settings = Settings(data=tmp_path, postgres=book, nats=nats_url, channels_folder=tmp_path)
        for role in (processes.project, processes.deliver):
            pipeline.start(partial(role, settings, registry=Registry(list(manifests))))
        await until(lambda: shows(endpoints["crm"], "TRAY", "19.95"), "the endpoint has what waited for its secret")
        daybook = Daybook({"DAYBOOK_POSTGRES": book, "DAYBOOK_NATS": nats_url, "DAYBOOK_DATA": str(tmp_path)})
        await asyncio.to_thread(daybook, "channel", "resume", "webshop")
        await until(lambda: shows(endpoints["webshop"], "TRAY", "19.95"), "the shop has what waited for it")
