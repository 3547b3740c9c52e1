"""docs/how-to/write-a-channel.md, done step by step in a folder of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from daybook.channel.contract import Push, Waiting
from daybook.channel.sandbox import SandboxServer
from tests.docs.snippets import ROOT, blocks

PAGE = "docs/how-to/write-a-channel.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the page's commands find: the folder `projections`."""
    unneeded = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "projections", tmp_path / "projections", ignore=unneeded)
    (tmp_path / "daybook_projections").symlink_to("projections")
    return tmp_path


class TokenServer(SandboxServer):
    """Gives tokens, and takes those that it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/token", self._give), web.get("/offers", self._offers)]

    async def _give(self, _: web.Request) -> web.Response:
        token = f"token-{len(self.received)}"
        self.taken.add(token)
        return web.json_response({"access_token": token, "expires_in": 60})

    async def _offers(self, request: web.Request) -> web.Response:
        good = request.headers.get("Authorization", "").removeprefix("Bearer ") in self.taken
        return web.json_response({}, status=200 if good else 401)


def run(folder: Path, *command: str) -> str:
    """Runs it with the folder's own `projections` in front of the installed ones."""
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.long
def test_a_channel_that_was_copied_and_renamed_as_the_page_says_keeps_the_contract_and_is_found(checkout: Path) -> None:
    copying, _testing = blocks(PAGE, "sh")
    contract, _fold, specification, *_snippets = blocks(PAGE, "python")
    (line,) = [line for line in blocks(PAGE, "toml")[0].splitlines() if line.startswith("acme")]

    run(checkout, "bash", "-euc", copying)
    tests = checkout / "projections/acme/tests"
    assert (tests / "test_contract.py").read_text() == contract
    (tests / "test_listing.py").write_text(specification)

    said = run(
        checkout,
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--import-mode=importlib",
        "projections/acme",
    )
    passed, failed = re.search(r"(\d+) passed", said), re.search("failed|error", said)
    assert passed and int(passed[1]) > 2 and not failed, said

    installed = checkout / "acme-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(f"[daybook.projections]\n{line.replace(chr(34), '')}\n")
    asked = "from daybook.channel.registry import installed; m = installed().get('acme'); print(m.name, m.title)"
    assert run(checkout, sys.executable, "-c", asked) == "acme Acme\n"


def test_a_root_that_goes_last_waits_for_its_variants_as_the_page_says() -> None:
    names: dict[str, Any] = {}
    exec(blocks(PAGE, "python")[-2], names)

    page = Push(
        sku="M",
        key="M",
        facet="offer",
        payload={},
        listing={"offer": {}},
        group={"M": {"offer": {}}, "A": {"offer": {}}, "B": {"offer": {}}, "GONE": {}},
        remote_id=None,
        remote_ids={"A": "1"},
        position=1,
        attempt=1,
    )
    waits = names["waits_for_variants"]
    assert waits(page) == Waiting("the channel does not have B yet")
    assert waits(replace(page, remote_ids={"A": "1", "B": "2"})) is None
    assert waits(replace(page, payload=None)) is None
    assert waits(replace(page, sku="A")) is None


async def test_the_pages_api_signs_in_once_and_again_when_its_token_is_refused() -> None:
    names: dict[str, Any] = {}
    exec(blocks(PAGE, "python")[-1], names)
    server = TokenServer()
    await server.start()
    api = names["Api"]({"url": server.url, "client_id": "a", "client_secret": "b"})
    try:
        for _ in range(2):
            assert (await api.get("/offers")).status == 200
        server.taken.clear()
        assert (await api.get("/offers")).status == 200
        assert [each.path for each in server.received].count("/token") == 2
    finally:
        await api._calls.close()
        await api._access.close()
        await server.stop()


def test_nothing_of_the_copied_channel_says_template(checkout: Path) -> None:
    run(checkout, "bash", "-euc", blocks(PAGE, "sh")[0])
    sources = {path: path.read_text() for path in (checkout / "projections/acme").rglob("*") if path.is_file()}
    assert not [path.name for path, text in sources.items() if "template" in text.lower()]
    assert all(path.suffix != ".orig" for path in sources)
