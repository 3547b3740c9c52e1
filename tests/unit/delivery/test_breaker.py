"""When a channel is left alone."""

from daybook.delivery.breaker import FAILURES_TO_OPEN, PROBE_SECONDS_MIN, Breaker


def test_a_few_failures_change_nothing() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.failed(None)
    assert breaker.lanes_allowed(9) == 9 and not breaker.open


def test_failures_in_a_row_leave_the_channel_alone_for_a_moment() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed(None)
    assert breaker.open and breaker.lanes_allowed(9) == 0 and 0 < breaker.wait_seconds() <= PROBE_SECONDS_MIN * 1.2


def test_requests_that_were_under_way_in_the_outage_do_not_prolong_it() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN + 50):
        breaker.failed(None)
    assert breaker.wait_seconds() <= PROBE_SECONDS_MIN * 1.2


def test_the_first_answer_ends_the_outage_and_says_so() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed(None)
    assert breaker.succeeded() and breaker.lanes_allowed(9) == 9 and not breaker.succeeded()


def test_a_throttle_is_a_pause_and_no_failure() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.throttled(30.0)
    assert breaker.lanes_allowed(9) == 0 and not breaker.open and breaker.wait_seconds() > 29


def test_after_a_pause_that_the_channel_asked_for_one_lane_goes_first_and_an_answer_frees_the_others() -> None:
    breaker = Breaker()
    breaker.throttled(0.000001)
    while breaker.wait_seconds():
        pass
    assert (breaker.lanes_allowed(9), breaker.open) == (1, False)
    assert not breaker.succeeded(), "it never counted as down"
    assert breaker.lanes_allowed(9) == 9
