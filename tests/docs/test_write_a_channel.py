"""docs/how-to/write-a-channel.md, done step by step in a folder of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT, blocks

PAGE = "docs/how-to/write-a-channel.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the page's commands find: the folder `projections`."""
    unneeded = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "projections", tmp_path / "projections", ignore=unneeded)
    return tmp_path


def run(folder: Path, *command: str) -> str:
    """Runs it with the folder's own `projections` in front of the installed ones."""
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_channel_that_was_copied_and_renamed_as_the_page_says_keeps_the_contract_and_is_found(checkout: Path) -> None:
    copying, _testing = blocks(PAGE, "sh")
    contract, _fold, specification = blocks(PAGE, "python")
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


def test_nothing_of_the_copied_channel_says_template(checkout: Path) -> None:
    run(checkout, "bash", "-euc", blocks(PAGE, "sh")[0])
    sources = {path: path.read_text() for path in (checkout / "projections/acme").rglob("*") if path.is_file()}
    assert not [path.name for path, text in sources.items() if "template" in text.lower()]
    assert all(path.suffix != ".orig" for path in sources)
