"""The newest events, read once for all projections of a process."""

from datetime import UTC, datetime

import pytest

from daybook.events import ProductCreated, Recorded
from daybook.postgres.sessions import Timeline
from daybook.projection import window as module
from daybook.projection.window import Window


def events(first: int, number: int) -> list[Recorded]:
    """So many events from a position on."""
    created = ProductCreated(sku="A", key="A")
    return [
        Recorded(
            position=position,
            event_id=f"id-{position}",
            stream="product/A",
            version=position,
            type="product.created.v1",
            sku="A",
            key="A",
            recorded_at=datetime(2026, 3, 1, tzinfo=UTC),
            actor="ada",
            reason=None,
            source="test",
            correlation_id="c",
            causation_id=None,
            command_id="c",
            event=created,
        )
        for position in range(first, first + number)
    ]


def test_what_follows_a_position_is_found_in_order() -> None:
    window = Window()
    assert window.after(10, 9) is None, "it was not begun"
    window.begin(10)
    assert window.after(10, 9) == [] and window.after(9, 9) is None
    window.add(events(11, 3), 30)
    assert [one.position for one in window.after(11, 9) or ()] == [12, 13]
    assert [one.position for one in window.after(10, 2) or ()] == [11, 12]
    assert window.after(13, 9) == [] and window.after(20, 9) == []


@pytest.mark.parametrize(("number", "size"), [(1, 60), (60, 1)])
def test_the_oldest_go_when_it_holds_too_many_or_too_much(
    monkeypatch: pytest.MonkeyPatch, number: int, size: int
) -> None:
    monkeypatch.setattr(module, "EVENTS_MAX", 100)
    monkeypatch.setattr(module, "BYTES_MAX", 100)
    window = Window()
    window.begin(0)
    window.add(events(1, number), size)
    assert not window.is_full_behind(number) and window.is_full_behind(0), "half of it is not used yet"
    window.add(events(number + 1, number), size)
    assert window.after(0, 9) is None
    assert [one.position for one in window.after(number, 200) or ()] == list(range(number + 1, 2 * number + 1))


def test_what_one_server_told_is_not_there_for_who_writes_to_another() -> None:
    window, old, new = Window(), Timeline(7, 1), Timeline(7, 2)
    window.begin(10, old)
    window.add(events(11, 1), 1)
    assert [one.position for one in window.after(10, 9, old) or ()] == [11]
    assert window.after(10, 9, new) is None
    window.begin(10, new)
    assert window.after(10, 9, new) == [] and window.after(10, 9, old) is None
