"""No event is larger than what the stream takes: each way into the log refuses it, with its size."""

from collections.abc import Callable

import psycopg
import pytest

from daybook.errors import InvalidValue
from daybook.events import AttributeDefined, AttributeOption
from daybook.limits import EVENT_BYTES_MAX, MESSAGE_BYTES_MAX
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.stream import cloudevents
from tests.fixtures.logs import context, opened

LABEL = "x" * 1000


def attribute(options: int) -> AttributeDefined:
    return AttributeDefined(
        code="finish",
        type="select",
        options=tuple(AttributeOption(f"o{n}", {"en": LABEL}) for n in range(options)),
    )


def one(options: int) -> list[NewEvent]:
    return [NewEvent("attribute/finish", 1, attribute(options), None, "@reference")]


DOORS: dict[str, Callable[[Log, list[NewEvent]], object]] = {
    "append": lambda log, events: log.append(events, context()),
    "record": lambda log, events: log.record([(context(), events)]),
    "bulk": lambda log, events: list(log.bulk([(context(), events)])),
}


@pytest.mark.parametrize("door", DOORS)
def test_an_event_that_is_too_large_is_refused_with_its_size_and_the_limit(database: str, door: str) -> None:
    with opened(database) as (log, reader):
        with pytest.raises(
            InvalidValue, match=r"attribute\.defined\.v1: would be an event of 1,0\d\d,\d\d\d bytes; at most 900,000"
        ):
            DOORS[door](log, one(1000))
        assert reader.head() == 0


def test_the_largest_event_with_the_longest_words_about_it_fits_into_a_message(database: str) -> None:
    longest = Context(
        actor="\x01" * 200,
        source="\x01" * 200,
        command_id="\x01" * 200,
        reason="\x01" * 1000,
        correlation_id="\x01" * 200,
        causation_id="\x01" * 200,
        access="\x01" * 200,
    )
    with opened(database) as (log, _):
        fits = EVENT_BYTES_MAX // 1040
        log.append(one(fits), longest)
    with psycopg.connect(database) as conn:
        row = conn.execute(
            "SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,"
            " correlation_id, causation_id, command_id, access, data::text FROM events"
        ).fetchone()
    assert row is not None
    around = len(cloudevents.encode(row)) - len(row[15])
    headers = 200
    assert around + EVENT_BYTES_MAX + headers < MESSAGE_BYTES_MAX < 1024 * 1024
