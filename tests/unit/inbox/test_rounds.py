"""In which order messages are decided."""

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook.inbox.message import InboxMessage, message_of
from daybook.inbox.rounds import Rounds


def message(sequence: int, sku: str) -> InboxMessage:
    said = {
        "specversion": "1.0",
        "id": str(sequence),
        "source": "t",
        "type": "discontinue_product",
        "data": {"sku": sku},
    }
    return message_of(sequence, "erp", msgspec.json.encode(said))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from("ABC"), max_size=12), st.data())
def test_each_is_decided_once_in_order_for_its_sku_and_refused_only_when_all_before_it_are_done(
    skus: list[str], data: st.DataObject
) -> None:
    rounds = Rounds([message(number, sku) for number, sku in enumerate(skus, 1)])
    finished: list[InboxMessage] = []
    while ready := rounds.ready():
        assert len({one.sku for one in ready}) == len(ready)
        for one in ready:
            refused = data.draw(st.booleans())
            before = set(range(1, one.sequence)) - {each.sequence for each in finished}
            if refused and rounds.hold(one):
                assert before
                continue
            assert not (refused and before)
            rounds.finish(one)
            finished.append(one)

    assert sorted(one.sequence for one in finished) == list(range(1, len(skus) + 1))
    for sku in "ABC":
        of_sku = [one.sequence for one in finished if one.sku == sku]
        assert of_sku == sorted(of_sku)
