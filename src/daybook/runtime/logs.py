"""What a role writes while it runs, on stderr: a line for a person, or a JSON object for a program that collects them.

Nothing that came from outside (a path, a SKU, a channel's answer) can look like a line of its own: what is no printable
character is shown as its escape, and a traceback is indented.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from daybook.config import Settings

BURST = 100
PER_SECOND = 2.0
LINE_LENGTH_MAX = 4_000
"""Of what one record says, in characters, before what can't be printed is escaped. Tracebacks are whole."""
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
"""What every record has; the rest are fields that the caller gave with `extra`."""


def start(found: Settings, role: str) -> None:
    """Writes everything from `DAYBOOK_LOG_LEVEL` on, in the form that `DAYBOOK_LOG` says."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Bounded())
    handler.setFormatter(JsonLines(role) if found.log == "json" else TextLines())
    logging.basicConfig(handlers=[handler], level=found.log_level.upper())


class Bounded(logging.Filter):
    """Leaves out what one place in the code says again and again, and tells how often.

    What a client can provoke must not fill the disk: each place may say `BURST` things at once, and then two a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, int], tuple[float, float, int]] = {}
        """Place -> how many it may still say, when that was so, and how many were left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is written; the next that is after others that were not has their number."""
        place, now = (record.pathname, record.lineno), self._clock()
        left, at, lost = self._said.get(place, (float(BURST), now, 0))
        left = min(float(BURST), left + (now - at) * PER_SECOND)
        if left < 1:
            self._said[place] = (left, now, lost + 1)
            return False
        self._said[place] = (left - 1, now, 0)
        if lost:
            record.msg, record.args = f"{record.getMessage()} (and {lost} more from here, left out)", ()
        return True


class TextLines(logging.Formatter):
    """`2026-11-29T06:10:33.608Z WARNING daybook.delivery: text`."""

    def format(self, record: logging.LogRecord) -> str:
        """One record. A traceback follows, indented."""
        line = f"{_time(record)} {record.levelname} {record.name}: {printable(_message(record))}"
        traceback = _traceback(self, record).splitlines()
        return "\n".join([line, *(f"    {printable(one)}" for one in traceback)])


class JsonLines(logging.Formatter):
    """An object with `time`, `level`, `logger`, `role`, `message`, the fields that the record has, and a traceback."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """One record on one line."""
        said: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "role": self._role,
            "message": _message(record),
        }
        said |= {name: value for name, value in vars(record).items() if name not in _OWN and name not in said}
        if traceback := _traceback(self, record):
            said["error"] = traceback
        return json.dumps(said, default=str, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def printable(text: str) -> str:
    """The text on one line."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def _time(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03}Z"


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    return text if len(text) <= LINE_LENGTH_MAX else f"{text[:LINE_LENGTH_MAX]}… ({len(text):,} characters)"


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
