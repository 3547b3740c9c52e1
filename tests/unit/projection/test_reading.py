"""What nobody reads is not decoded."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from daybook.channel.contract import Reads
from daybook.errors import CorruptLog
from daybook.events import PersonAdded, Recorded
from daybook.projection.reading import Passed, Reading, any_takes, decoded
from tests.fixtures.channels import toy
from tests.fixtures.register import register


def row(position: int, type_: str, key: str, body: str) -> tuple[Any, ...]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return (position, "e", "s", 1, type_, None, key, now, "a", None, "t", "c", None, "m", None, body)


BROKEN = row(1, "person.erased.v1", "@person/1", "{")
ADDED = row(2, "person.added.v1", "@person/1", '{"person": "1", "fields": [], "revision": "r"}')


def test_an_event_that_nobody_reads_is_not_decoded() -> None:
    takes = any_takes([toy(), register(PersonAdded)])
    first, second = decoded([BROKEN, ADDED], takes)
    assert first == Passed(1)
    assert isinstance(second, Recorded) and isinstance(second.event, PersonAdded)


def test_an_event_that_one_of_several_reads_is_decoded() -> None:
    with pytest.raises(CorruptLog):
        decoded([BROKEN], any_takes([toy(), register()]))


def test_each_projection_is_handed_its_own_events() -> None:
    events = decoded([ADDED, row(3, "product.discontinued.v1", "S1", "{}")], lambda type_, key: True)
    assert [one.position for one in Reading(toy()).of(events)] == [3]
    assert [one.position for one in Reading(register()).of(events)] == [2]
    both = replace(toy(), reads=Reads(("product", "person")))
    assert [one.position for one in Reading(both).of(events)] == [2, 3]
