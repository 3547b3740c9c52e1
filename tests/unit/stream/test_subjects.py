"""Where an event is published."""

from collections import Counter

import pytest

from daybook.events.codec import CLASSES
from daybook.stream.subjects import PARTITIONS, partition, subject, wake_delivery, wake_log


def test_a_keys_partition_is_the_same_for_ever() -> None:
    # Fixed numbers: a consumer that filters by partition must find a group where it always was.
    assert [partition(key) for key in ("SKU-1", "@reference", "Ünïcode", "")] == [52, 43, 60, 0]


def test_partitions_are_filled_evenly() -> None:
    counts = Counter(partition(f"SKU-{n}") for n in range(6400))
    assert len(counts) == PARTITIONS and max(counts.values()) < 200


@pytest.mark.parametrize("name", CLASSES)
def test_every_event_type_has_a_subject_of_four_tokens_that_the_stream_takes(name: str) -> None:
    tokens = subject(name, "SKU.1 *>").split(".")
    assert tokens[0] == "daybook" and len(tokens) == 4 and tokens[3].isdigit()


def test_bells_are_not_stored_in_the_stream() -> None:
    assert not wake_log().startswith("daybook.") and not wake_delivery("bol").startswith("daybook.")
