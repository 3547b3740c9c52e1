"""When a lane is tried again."""

from daybook.delivery.retry import WAITING_TRIES_SOON, wait_seconds, waiting_seconds


def test_a_lane_waits_longer_each_time_unless_the_channel_said_how_long() -> None:
    assert wait_seconds(1, None) < 0.6 and 100 < wait_seconds(1000, None) <= 300 and wait_seconds(3, 7.0) == 7.0


def test_what_is_not_there_yet_is_looked_for_soon_at_first_and_seldom_once_it_has_not_come_for_minutes() -> None:
    soon = [waiting_seconds(attempts) for attempts in range(1, WAITING_TRIES_SOON + 1)]
    assert max(soon) <= 5 and 5 * 60 < sum(soon) < 15 * 60
    assert waiting_seconds(WAITING_TRIES_SOON + 1) == 60
