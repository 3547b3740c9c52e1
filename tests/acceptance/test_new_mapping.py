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

import pytest

from daybook.channel.registry import installed
from daybook.demo import catalogue
from daybook_projections.bol import content
from daybook_projections.bol.sandbox.server import BolSandbox
from tests.fixtures.pipeline import ROOT, Pipeline

pytestmark = pytest.mark.long

PRODUCTS = 60
VALUES = "values = [] if value is None else _values(name, value, _labels(reference, code, locales))\n"
"""A line of the mapping: what an attribute says."""


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
    """The channel's folder copied, with one more rule in its mapping."""
    shutil.copytree(Path(content.__file__).parent, folder, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    file = folder / "content.py"
    before = file.read_text()
    assert before.count(VALUES) == 1
    rule = f"""        if name == "Name":
            values = [each | {{"value": cut(each["value"], {length})}} for each in values]
"""
    file.write_text(before.replace(VALUES, VALUES + rule))
    return folder


def uploads(sandbox: BolSandbox, since: int) -> list[str]:
    """EANs whose texts were sent since so many requests, each as often as it was."""
    found = [
        attribute["values"][0]["value"]
        for one in list(sandbox.received)[since:]
        if one.method == "POST" and "/content/" in one.path
        for attribute in one.body["attributes"]
        if attribute["id"] == "EAN"
    ]
    return sorted(found)


def other_changes(sandbox: BolSandbox, since: int) -> list[tuple[str, str, int | None]]:
    """What else was asked of the marketplace but to look and to log in."""
    some = [(one.method, one.path, one.status) for one in list(sandbox.received)[since:] if one.method != "GET"]
    return [one for one in some if "/content/" not in one[1] and one[1] != "/token"]


def titles_of(sandbox: BolSandbox) -> dict[str, str]:
    """What buyers see, by SKU."""
    return {sku: str(shown["title"]) for sku, shown in sandbox.shown().items()}


def listed_titles(pipeline: Pipeline) -> dict[str, str]:
    """The titles that the channel should show."""
    return {
        sku: attribute["values"][0]["value"]
        for (sku, facet), payload in pipeline.listings().items()
        if facet == "content"
        for attribute in payload["attributes"]
        if attribute["id"] == "Name"
    }


async def test_a_changed_title_is_planned_applied_and_taken_back_and_nothing_else_is_sent(
    database: str, nats_url: str, tmp_path: Path
) -> None:
    manifests = [installed().get(name) for name in ("bol", "webshop", "amazon")]
    sandbox = BolSandbox()
    await sandbox.start()
    owner = Owner(database, nats_url, tmp_path)
    async with Pipeline(database, nats_url, *manifests) as pipeline:
        await pipeline.carry_out(*catalogue.generate(PRODUCTS))
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        await pipeline.level(60)
        titles, eans = titles_of(sandbox), {sku: one["ean"] for sku, one in sandbox.shown().items()}
        assert titles.keys() == listed_titles(pipeline).keys() - {catalogue.TOO_DEAR_SKU}
        limit = sorted(map(len, titles.values()))[PRODUCTS // 2]
        longer = {sku for sku, title in listed_titles(pipeline).items() if len(title) > limit}
        there = longer & titles.keys()
        assert 0 < len(there) < len(titles)
        sent = len(sandbox.received)

        done = await owner("rebuild", "bol", "--from-code", with_titles_of_at_most(limit, tmp_path / "short"))

        plan = done["plan"]
        assert [(one["field"], one["count"]) for one in plan["fields"]] == [("content.attributes", len(longer))]
        assert (plan["changed"], plan["added"], plan["removed"], plan["held"]) == (len(longer), 0, 0, 0)
        again = {"create": 1} if longer - there else {}  # what was refused is offered again, as it has changed
        assert plan["calls"] == {"update content": len(there)} | again
        assert (uploads(sandbox, sent), other_changes(sandbox, sent)) == ([], []), "a plan sends nothing"

        told = await owner("rebuild", "bol", "--from-code", tmp_path / "short", "--apply")
        await pipeline.level(60)

        assert told["resumed"] and told["switched"]["facets"] == len(longer)
        assert titles_of(sandbox) == {sku: content.cut(title, limit) for sku, title in titles.items()}
        assert uploads(sandbox, sent) == sorted(eans[sku] for sku in there), "once each"
        assert {one[2] for one in other_changes(sandbox, sent)} <= {400}, "nothing else was changed"

        back = await owner("rollback", "bol")
        await pipeline.level(60)

        assert back["facets"] == len(longer)
        assert titles_of(sandbox) == titles
        assert uploads(sandbox, sent) == sorted(2 * [eans[sku] for sku in there])
    await sandbox.stop()
