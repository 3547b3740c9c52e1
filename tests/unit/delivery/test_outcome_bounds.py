"""A channel's answer is kept in bounds: a receipt always fits into an event, and says what it leaves out."""

import msgspec
import pytest

from daybook.channel.contract import Accepted, ChannelUnavailable, Confirmed, Outcome, Rejected, Stopped, Waiting
from daybook.delivery.outcome_bounds import bounded
from daybook.events import Rejection
from daybook.limits import EVENT_BYTES_MAX, REASON_LENGTH_MAX, REASONS_MAX, REMOTE_ID_LENGTH_MAX

LONG = "€" * 1_000_000


@pytest.mark.long
def test_a_refusal_of_ten_thousand_reasons_fits_into_an_event_and_says_how_many() -> None:
    refused = bounded(Rejected(tuple(Rejection(LONG, LONG, LONG) for _ in range(10_000))))
    assert isinstance(refused, Rejected)
    assert len(msgspec.json.encode(refused.reasons)) < EVENT_BYTES_MAX
    assert len(refused.reasons) == REASONS_MAX + 1
    assert refused.reasons[-1].message == "and 9,900 more reasons, which are not kept"
    assert refused.reasons[0].message == "€" * (REASON_LENGTH_MAX - 1) + "…"


@pytest.mark.parametrize(
    "outcome", [ChannelUnavailable(LONG), Stopped(LONG), Waiting(LONG)], ids=lambda one: type(one).__name__
)
def test_a_reason_for_waiting_is_cut_too(outcome: ChannelUnavailable | Stopped | Waiting) -> None:
    cut = bounded(outcome)
    assert type(cut) is type(outcome) and len(cut.reason) == REASON_LENGTH_MAX


@pytest.mark.parametrize(
    "outcome", [Confirmed(remote_id=LONG), Accepted(submission=LONG), Accepted(submission="1", remote_id=LONG)]
)
def test_an_id_that_can_not_be_kept_is_a_refusal_that_says_so(outcome: Outcome) -> None:
    refused = bounded(outcome)
    assert isinstance(refused, Rejected) and "an id of 1,000,000 characters" in refused.reasons[0].message


@pytest.mark.parametrize(
    "outcome",
    [
        Rejected((Rejection("c", "m", "f"),)),
        Rejected(tuple(Rejection("c", "m") for _ in range(REASONS_MAX))),
        Confirmed(remote_id="x" * REMOTE_ID_LENGTH_MAX),
        Accepted(submission="1"),
        ChannelUnavailable("away"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_within_the_bounds_stays_as_it_is(outcome: Outcome) -> None:
    assert bounded(outcome) == outcome


@pytest.mark.parametrize(
    "body",
    [
        '{"token": "inner", "hosts": ["db-1.internal"]}',
        '[{"message": "inner"}]',
        "<!DOCTYPE html><html><body>inner</body></html>",
        ' <?xml version="1.0"?><secret>inner</secret>',
    ],
)
def test_a_document_in_the_place_of_a_reason_is_named_and_not_shown(body: str) -> None:
    (reason,) = reasons_of(bounded(Rejected((Rejection("refused", body, body),))))
    assert "inner" not in f"{reason.message}{reason.field}"
    assert reason.message.startswith("a document of ")
    down = bounded(ChannelUnavailable(body))
    assert isinstance(down, ChannelUnavailable) and "inner" not in down.reason


def test_a_sentence_stays_as_it_was_said_on_one_line_and_without_what_steers_a_terminal() -> None:
    said = "Wert [rot] für {colour} fehlt\r\n\x1b[31m \u202egnp.exe"
    (reason,) = reasons_of(bounded(Rejected((Rejection("x", said),))))
    assert reason.message == "Wert [rot] für {colour} fehlt [31m gnp.exe"
    plain = Rejected((Rejection("x", "[size] must be one of {S, M}"),))
    assert bounded(plain) == plain


def reasons_of(outcome: Outcome) -> tuple[Rejection, ...]:
    assert isinstance(outcome, Rejected)
    return outcome.reasons
