"""Long lists in parts."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from daybook.events import AttributeOption
from daybook.events.parts import in_parts

OPTIONS = st.lists(st.builds(AttributeOption, st.text(max_size=30)), max_size=20)


@given(OPTIONS, st.integers(1, 200))
def test_the_parts_in_order_are_the_whole_and_each_fits_unless_one_item_does_not(
    options: list[AttributeOption], bytes_max: int
) -> None:
    parts = in_parts(options, bytes_max)

    assert [one for part in parts for one in part] == options
    assert all(part for part in parts)
    assert all(len(part) == 1 or len(msgspec.json.encode(part)) <= bytes_max + 1 for part in parts)
