"""Rivals for one stream stand in line; others go on, and nobody waits beyond the deadline."""

import threading
import time

from daybook.commands.turns import StreamTurns


def test_one_thread_at_a_time_has_the_turn_at_a_stream() -> None:
    turns, inside, most = StreamTurns(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with turns.at({"stock/A", "order/shop:1"}, time.monotonic() + 60):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == ([0], [1])


def test_two_who_want_the_same_streams_in_another_order_never_wait_for_each_other() -> None:
    turns = StreamTurns()

    def work(streams: tuple[str, ...]) -> None:
        for _ in range(500):
            with turns.at(streams, time.monotonic() + 60):
                pass

    threads = [
        threading.Thread(target=work, args=(streams,))
        for streams in (("stock/A", "stock/B"), ("stock/B", "stock/A")) * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_after_the_deadline_it_goes_on_without_the_turn_and_leaves_the_others_alone() -> None:
    turns = StreamTurns()
    with turns.at({"stock/A"}, time.monotonic() + 60):
        done = threading.Event()

        def impatient() -> None:
            with turns.at({"stock/A"}, time.monotonic()):
                done.set()

        thread = threading.Thread(target=impatient)
        thread.start()
        thread.join(60)
        assert done.is_set()
    with turns.at({"stock/A"}, time.monotonic()), turns.at({"stock/B"}, time.monotonic()), turns.at((), 0.0):
        pass
