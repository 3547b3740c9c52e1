"""A role's log: when, how bad, where; one line for each record, whatever a stranger put into it; JSON with fields."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from daybook.config import from_environment
from daybook.errors import BadConfiguration
from daybook.runtime.logs import BURST, LINE_LENGTH_MAX, Bounded, JsonLines, TextLines

FORGED = "/products/A\n2026-01-01T00:00:00.000Z INFO daybook.http: all is well"


def record(text: str, *values: object, error: BaseException | None = None, **fields: object) -> logging.LogRecord:
    trace = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord("daybook.http", logging.WARNING, "x.py", 1, text, values, trace)
    vars(made).update(fields, created=1796000000.25, msecs=250.0)
    return made


def as_json(made: logging.LogRecord) -> Any:
    line = JsonLines("api").format(made)
    assert "\n" not in line
    return json.loads(line)


def test_a_line_says_when_in_utc_how_bad_and_where() -> None:
    assert (
        TextLines().format(record("%s is away", "NATS"))
        == "2026-11-30T00:53:20.250Z WARNING daybook.http: NATS is away"
    )


@pytest.mark.parametrize("text", [FORGED, "a\r2026", "a\x1b[2Jb", "a\u2028b", "a\x00b", "a\x85b"])
def test_what_a_stranger_sent_never_begins_a_line_nor_steers_a_terminal(text: str) -> None:
    line = TextLines().format(record("GET %s: no", text))
    assert line.isprintable()
    assert as_json(record("GET %s: no", text))["message"] == f"GET {text}: no"


def test_a_traceback_is_indented_also_where_the_error_has_lines_of_its_own() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError as error:
        made = record("failed", error=error)
    first, *rest = TextLines().format(made).splitlines()
    assert first.endswith("failed") and all(line.startswith("    ") for line in rest) and len(rest) > 3
    assert as_json(made)["error"].endswith(f"ValueError: {FORGED}")


def test_json_has_the_role_and_the_fields_of_the_record() -> None:
    said = as_json(record("away: %s", "\ud800", failures=3, path=Path("/x"), role="forged", channel="toy"))
    assert said == {
        "time": "2026-11-30T00:53:20.250Z", "level": "warning", "logger": "daybook.http", "role": "api",
        "message": "away: \ud800", "failures": 3, "path": "/x", "channel": "toy",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("environ", "found"),
    [({}, ("text", "info")), ({"DAYBOOK_LOG": "JSON", "DAYBOOK_LOG_LEVEL": "Debug"}, ("json", "debug"))],
)
def test_the_form_and_the_level_are_settings(environ: Mapping[str, str], found: tuple[str, str]) -> None:
    settings = from_environment(environ)
    assert (settings.log, settings.log_level) == found


@pytest.mark.parametrize("name", ["DAYBOOK_LOG", "DAYBOOK_LOG_LEVEL"])
def test_an_unknown_form_or_level_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(BadConfiguration, match=f"{name} is 'loud'; it must be one of"):
        from_environment({name: "loud"})


def test_what_one_place_says_again_and_again_is_left_out_and_counted() -> None:
    now = [0.0]
    bounded = Bounded(lambda: now[0])
    made = [record("a client did %s", number) for number in range(BURST + 1000)]
    assert sum(bounded.filter(one) for one in made) == BURST
    other = record("another place")
    other.lineno = 2
    assert bounded.filter(other)
    now[0] += 0.5
    late = record("a client did %s", "it again")
    assert bounded.filter(late)
    assert late.getMessage() == "a client did it again (and 1000 more from here, left out)"


def test_a_line_has_an_end_whatever_was_sent() -> None:
    made = record("GET %s", "x" * 10_000_000)
    assert len(TextLines().format(made)) < LINE_LENGTH_MAX + 200
    assert len(as_json(made)["message"]) < LINE_LENGTH_MAX + 200
