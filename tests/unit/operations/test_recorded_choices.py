"""What somebody chose is in the event whole: a new way to choose must not go unrecorded."""

from typing import Any

import msgspec
import pytest

from daybook.delivery.resync import Choice
from daybook.delivery.retry import RetryChoice
from daybook.events import ChannelResynced, ChannelRetried
from daybook.operations.channels import resynced, retried

RESYNC = Choice(skus=("A",), since=7, locale="nl", keys=("M",))
RETRY = RetryChoice(keys=("M",), skus=("A",), code="E7", rejected=True)


@pytest.mark.parametrize(
    ("choice", "event"),
    [
        (RESYNC, resynced("bol", RESYNC, facets=3)),
        (RETRY, retried("bol", RETRY, groups=1, facets=3)),
    ],
)
def test_every_part_of_a_choice_is_recorded(
    choice: Choice | RetryChoice, event: ChannelResynced | ChannelRetried
) -> None:
    chosen: dict[str, Any] = msgspec.structs.asdict(choice)
    defaults = {field.name: field.default for field in msgspec.structs.fields(choice)}

    assert [name for name in chosen if chosen[name] == defaults[name]] == [], "the example sets every part"
    assert chosen.items() <= msgspec.structs.asdict(event).items()
    assert (event.name, event.facets) == ("bol", 3)
