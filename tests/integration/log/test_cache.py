"""The cache of states: what was read once is not read again, and nothing that a load gives is older than the call."""

from daybook.events import Event
from tests.fixtures.logs import at_once, context, happened, opened


def test_a_stream_that_grows_between_loads_is_read_once_and_not_from_the_first_load_on(database: str) -> None:
    seen: list[Event] = []

    def count(state: int | None, event: Event) -> int:
        seen.append(event)
        return (state or 0) + 1

    with opened(database) as (log, _):
        log.append(happened("stock/A", 1), context())
        for version in range(1, 60):
            assert log.load("stock/A", count) == (version, version)
            log.append(happened("stock/A", version + 1), context())
    assert len(seen) == 59, "each event was folded once"


def test_a_cached_state_is_brought_up_to_what_other_processes_appended(database: str) -> None:
    def count(state: int | None, _: Event) -> int:
        return (state or 0) + 1

    with opened(database) as (mine, _), opened(database) as (other, _):
        for version in range(1, 40, 2):
            mine.append(happened("stock/A", version), context())
            assert mine.load("stock/A", count) == (version, version)
            other.append(happened("stock/A", version + 1), context())
            assert mine.load("stock/A", count) == (version + 1, version + 1)


def test_threads_that_load_one_stream_while_it_grows_get_states_that_fit_their_versions(database: str) -> None:
    def count(state: int | None, _: Event) -> int:
        return (state or 0) + 1

    with opened(database) as (log, _):
        log.append(happened("stock/A", 1), context())

        def work(number: int) -> None:
            least = 0
            for step in range(40):
                if number == 0:
                    log.append(happened("stock/A", step + 2), context())
                state, version = log.load("stock/A", count)
                assert state == version and version >= least
                least = version

        at_once(4, work)
        assert log.load("stock/A", count) == (41, 41)
