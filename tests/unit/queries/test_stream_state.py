"""What is said of the stream, given what is known of it: no green light that lies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daybook.limits import MESSAGE_BYTES_MAX
from daybook.queries.stream_state import (
    BEHIND_SECONDS,
    SILENT_SECONDS,
    STUCK_SECONDS,
    UNREADY_SECONDS,
    Kept,
    StreamState,
    judge,
    spoken,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def judged(**known: Any) -> StreamState:
    well: dict[str, Any] = {
        "head": 10,
        "published": 10,
        "bytes_max": 2**30,
        "message_bytes": 2**20,
        "said_at": ago(1),
        "trouble": None,
        "reason": None,
        "since": None,
        "foreign_sequence": None,
        "foreign_reason": None,
        "foreign_at": None,
        "oldest": None,
        "now": NOW,
    }
    return judge(Kept(**(well | known)))


def test_a_stream_that_has_everything_is_level() -> None:
    found = judged()
    assert (found.state, found.behind, found.since, found.unready) == ("level", 0, None, False)
    assert found.sentence == "the stream is level"
    assert judged(published=8, oldest=ago(BEHIND_SECONDS / 2)).state == "level", "the relay says so once a second"


def test_a_stream_that_is_being_filled_is_behind_and_ready_however_long_it_takes() -> None:
    found = judged(published=4, oldest=ago(3600))
    assert (found.state, found.behind, found.since, found.unready) == ("behind", 6, ago(3600), False)
    assert found.sentence == "the stream is behind by 6 events since 2026-11-28 11:00:00 UTC (60 min)"


@pytest.mark.parametrize("trouble", ["missing", "stuck"])
def test_a_trouble_is_told_with_its_reason_once_it_lasts(trouble: str) -> None:
    fresh = judged(trouble=trouble, reason="no room", since=ago(STUCK_SECONDS - 1))
    assert fresh.state == "level"
    found = judged(trouble=trouble, reason="no room", since=ago(STUCK_SECONDS))
    assert (found.state, found.reason, found.since, found.seconds) == (trouble, "no room", ago(10), 10.0)
    assert found.sentence == f"the stream is {trouble} since 2026-11-28 11:59:50 UTC (10 s): no room"


def test_a_trouble_makes_unready_what_stands_still_for_longer_than_a_relay_takes_to_start() -> None:
    assert not judged(trouble="stuck", reason="?", since=ago(UNREADY_SECONDS - 1)).unready
    assert judged(trouble="stuck", reason="?", since=ago(UNREADY_SECONDS)).unready


def test_a_relay_that_is_not_heard_of_any_more_is_told_also_when_nothing_waits() -> None:
    for known in ({}, {"published": 9, "oldest": ago(3)}):
        assert judged(said_at=ago(SILENT_SECONDS - 1), **known).state != "stuck"
        found = judged(said_at=ago(SILENT_SECONDS), **known)
        assert (found.state, found.since) == ("stuck", ago(SILENT_SECONDS))
        assert "daybook run relay" in str(found.reason)


def test_events_without_any_relay_are_a_stream_that_is_missing_and_an_empty_book_is_level() -> None:
    never = {"said_at": None, "published": 0, "bytes_max": None, "message_bytes": None}
    assert judged(head=0, **never).state == "level"
    assert judged(oldest=ago(STUCK_SECONDS - 1), **never).state == "behind"
    found = judged(oldest=ago(STUCK_SECONDS), **never)
    assert (found.state, found.behind) == ("missing", 10) and "no relay has run here" in str(found.reason)


def test_a_foreign_message_is_told_before_anything_else_and_at_once() -> None:
    found = judged(foreign_sequence=7, foreign_reason="is not the event at its position: other key", foreign_at=NOW)
    assert (found.state, found.since) == ("stuck", NOW)
    assert found.reason is not None and found.reason.startswith("message 7 of the stream is not the event")
    assert "daybook failover" in found.reason


@pytest.mark.parametrize("what", ["oldest", "said_at", "since"])
def test_a_clock_that_was_set_back_makes_nothing_look_well(what: str) -> None:
    known: dict[str, Any] = {"published": 9, "oldest": ago(0), "trouble": "stuck", "reason": "?", "since": ago(0)}
    if what == "oldest":
        known |= {"trouble": None, "since": None}
    assert judged(**(known | {what: ago(-3600)})).state != "level"


def test_a_server_that_takes_smaller_messages_than_an_event_may_need_is_a_warning() -> None:
    assert judged(message_bytes=MESSAGE_BYTES_MAX).warning is None
    found = judged(message_bytes=MESSAGE_BYTES_MAX - 1)
    assert found.state == "level" and "max_payload" in str(found.warning)


def test_a_span_of_time_is_said_in_the_unit_that_fits() -> None:
    assert [spoken(s) for s in (0.4, 119, 120, 7199, 7200, 172800)] == [
        "0 s",
        "119 s",
        "2 min",
        "120 min",
        "2 h",
        "2 days",
    ]
