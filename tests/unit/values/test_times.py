"""Times that people send."""

from datetime import datetime

import pytest

from daybook.errors import InvalidValue
from daybook.values import check_time


@pytest.mark.parametrize("text", ["2026-03-01T00:00:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_without_a_zone_or_at_the_ends_of_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"^ends: "):
        check_time(datetime.fromisoformat(text), "ends")


def test_a_time_that_names_its_zone_is_taken() -> None:
    time = datetime.fromisoformat("2026-03-01T00:00:00+01:00")
    assert check_time(time, "ends") is time
