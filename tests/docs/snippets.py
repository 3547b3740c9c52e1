"""The fenced blocks of a Markdown page, and shell sessions among them."""

import re
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(msgspec.Struct, frozen=True):
    """One command of a session and the lines that it is said to print."""

    command: str
    prints: tuple[str, ...]


def blocks(page: str, language: str) -> list[str]:
    """The bodies of the page's blocks in this language, in order. `page` is relative to the project."""
    return [body for name, body in _FENCE.findall((ROOT / page).read_text()) if name == language]


def session(block: str) -> list[Step]:
    """The steps of a `console` block: `$ ` begins a command, a backslash at its end goes on, the rest is its output."""
    steps: list[Step] = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = next(at for at, line in enumerate(lines) if not line.endswith("\\"))
        command = " ".join(line.rstrip("\\").strip() for line in lines[: end + 1])
        steps.append(Step(command, tuple(line for line in lines[end + 1 :] if line.strip())))
    return steps


def shape(line: str) -> str:
    """A line of output without what differs each time: identifiers, times, durations, ports, and runs of spaces."""
    for pattern, word in (
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
        (r"\d{4}-\d\d-\d\d", "<date>"),
        (r"\d\d:\d\d(:\d\d)?(\.\d+)?", "<time>"),
        (r"127\.0\.0\.1:\d+", "<address>"),
        (r"\b\d+(\.\d+)? ?(ms|s)\b", "<duration>"),
        (r"\b\d+/s\b", "<rate>"),
        (r"─+", ""),
    ):
        line = re.sub(pattern, word, line)
    return " ".join(line.split())
