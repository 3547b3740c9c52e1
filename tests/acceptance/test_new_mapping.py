"""A channel owner changes a mapping: sees what would change, applies it, regrets it, and goes back.

On the bundled catalogue. The program is called as a person calls it; relay, runner and delivery go on all the while,
and the marketplace is its sandbox.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from daybook.channel.registry import installed
from daybook.demo import catalogue
from projections.bol import mapping
from projections.bol.sandbox import BolSandbox
from tests.fixtures.pipeline import ROOT, Line

PRODUCTS = 60
TITLE = "unknownProductTitle"


class Owner:
    """Somebody at a terminal."""

    def __init__(self, dsn: str, nats_url: str, data: Path) -> None:
        self._env = {**os.environ, "DAYBOOK_POSTGRES": dsn, "DAYBOOK_NATS": nats_url, "DAYBOOK_DATA": str(data)}
        self._env["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'src'}"

    async def __call__(self, *words: object) -> Any:
        command = [sys.executable, "-m", "daybook", "--json", "channel", *map(str, words)]
        done = await asyncio.to_thread(
            subprocess.run, command, env=self._env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def with_titles_of_at_most(length: int, folder: Path) -> Path:
    """The channel's folder copied, with one number of its mapping changed."""
    shutil.copytree(Path(mapping.__file__).parent, folder, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    file = folder / "mapping.py"
    before = f"TITLE_LENGTH_MAX = {mapping.TITLE_LENGTH_MAX}\n"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, f"TITLE_LENGTH_MAX = {length}\n"))
    return folder


def changes(sandbox: BolSandbox, since: int) -> list[tuple[str, str, Any]]:
    """(method, offer id, body) of what changed something since so many requests."""
    some = [one for one in list(sandbox.received)[since:] if one.method in ("PATCH", "PUT", "DELETE")]
    return [(one.method, one.path.rpartition("/")[2], one.body) for one in some]


def test_a_changed_title_is_planned_applied_and_taken_back_and_nothing_else_is_sent(
    database: str, nats_url: str, tmp_path: Path
) -> None:
    async def main() -> None:
        manifests = [installed().get(name) for name in ("bol", "webshop", "amazon")]
        sandbox = BolSandbox(per_second=None)
        await sandbox.start()
        owner = Owner(database, nats_url, tmp_path)
        async with Line(database, nats_url, *manifests) as line:
            await line.say(*catalogue.generate(PRODUCTS))
            line.relay()
            line.runner()
            line.delivery(sandbox.settings())
            await line.level(60)
            titles = {sku: shown["title"] for sku, shown in sandbox.shown().items()}
            assert len(titles) == PRODUCTS - 1, "one is too dear for the marketplace"
            limit = sorted(map(len, titles.values()))[PRODUCTS // 2]
            listed = {sku: one[TITLE] for (sku, facet), one in line.listings().items() if facet == "offer"}
            longer = {sku for sku, title in listed.items() if len(title) > limit}
            assert 0 < len(longer & titles.keys()) < len(titles)
            sent = len(sandbox.received)

            done = await owner("rebuild", "bol", "--from-code", with_titles_of_at_most(limit, tmp_path / "short"))

            plan = done["plan"]
            assert [(one["field"], one["count"]) for one in plan["fields"]] == [(f"offer.{TITLE}", len(longer))]
            assert (plan["changed"], plan["added"], plan["removed"], plan["held"]) == (len(longer), 0, 0, 0)
            calls = {"update offer": len(longer & titles.keys())}
            if longer - titles.keys():
                calls["create"] = 1  # the one that is too dear is offered again, as it has changed
            assert plan["calls"] == calls
            sample = plan["fields"][0]["samples"][0]
            assert sample["before"] == listed[sample["sku"]] and sample["after"] == mapping.cut(sample["before"], limit)
            assert changes(sandbox, sent) == [], "a plan sends nothing"

            told = await owner("rebuild", "bol", "--from-code", tmp_path / "short", "--apply")
            await line.level(60)

            assert told["resumed"] and told["switched"]["facets"] == len(longer)
            short = {sku: mapping.cut(title, limit) for sku, title in titles.items()}
            assert {sku: shown["title"] for sku, shown in sandbox.shown().items()} == short
            made = changes(sandbox, sent)
            ids = {str(offer["offerId"]): sku for sku, offer in by_reference(sandbox).items()}
            assert sorted(ids[number] for _, number, _ in made) == sorted(longer & titles.keys()), "once each"
            assert {method for method, _, _ in made} == {"PATCH"}

            back = await owner("rollback", "bol")
            await line.level(60)

            assert back["facets"] == len(longer)
            assert {sku: shown["title"] for sku, shown in sandbox.shown().items()} == titles
            assert len(changes(sandbox, sent)) == 2 * len(longer & titles.keys())
        await sandbox.stop()

    asyncio.run(main())


def by_reference(sandbox: BolSandbox) -> dict[str, Any]:
    """The offers by their SKU."""
    return {str(offer["reference"]): offer for offer in sandbox.offers.values()}
