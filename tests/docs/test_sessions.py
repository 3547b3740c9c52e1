"""The sessions in the README and the tutorial, run in a real shell against a real Daybook with sandboxes."""

from pathlib import Path

import pytest

from tests.docs.sessions import PAGES, daybook, files, up
from tests.docs.snippets import blocks, session, shape


def shapes(lines: list[str]) -> list[str]:
    return [found for line in lines if (found := shape(line))]


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=() if page == "README.md" else pytest.mark.long) for page in PAGES]
)
@pytest.mark.timeout(900)  # a whole day's work is typed
def test_a_page_prints_what_it_says(page: str, data_folder: Path) -> None:
    files(page, data_folder)
    said: list[str] = []
    printed: list[str] = []
    with daybook(data_folder, up(page)) as terminal:
        for step in [step for block in blocks(page, "console") for step in session(block)]:
            said += [f"$ {step.command}", *shapes(list(step.prints))]
            printed += [f"$ {step.command}", *shapes(terminal.run(step.command).splitlines())]
    assert said, f"{page} has no session"
    assert printed == said, f"run `python -m tests.docs.sessions {page}` and look at what differs"
