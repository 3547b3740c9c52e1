"""The demo's output in the README has the shape of what the demo prints: its chapters and its claims."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import blocks

pytestmark = pytest.mark.long

PRODUCTS = 60


def outline(text: str) -> list[str]:
    """Headings (a line after a blank one) and claims, without numbers and SKUs."""
    lines = text.strip().splitlines()
    heads = [line for before, line in zip(["", *lines], lines, strict=False) if not before.strip()]
    claims = [line for line in lines if line.startswith(("✓", "✗"))]
    return [re.sub(r"\b[A-Z]{3}-\d+(-\w+)?\b|\d+", "#", line).strip() for line in [*heads, *claims]]


def test_the_readme_shows_the_chapters_and_the_claims_of_the_demo(data_folder: Path) -> None:
    (shown,) = [block for block in blocks("README.md", "text") if "every claim held" in block]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    command = [
        sys.executable,
        "-m",
        "daybook",
        "demo",
        "--products",
        str(PRODUCTS),
        "--data",
        str(data_folder / "demo"),
    ]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outline(done.stdout) == outline(shown)
