"""A note is written once, whichever answer is lost."""

from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Payload, Push, Rejected
from daybook.channel.sandbox import Faults
from daybook_projections.wooparcels.connector import WooParcelsConnector, connector
from daybook_projections.wooparcels.sandbox.server import WooOrdersSandbox

LINES = ["Parcel P1 left: 1 piece.", "Parcel P2 left: 1 piece."]


async def push(
    speaks: WooParcelsConnector, facet: str, payload: Payload | None, attempt: int = 1, receipt: int = 0
) -> Outcome:
    return await speaks.push(
        Push(
            sku="webshop:1001",
            key="@order/webshop:1001",
            facet=facet,
            payload=payload,
            listing={},
            remote_id=None,
            remote_ids={},
            position=1,
            receipt=receipt,
            attempt=attempt,
        )
    )


async def test_a_lost_answer_costs_the_customer_no_second_mail() -> None:
    sandbox = WooOrdersSandbox()
    await sandbox.start()
    speaks = connector(sandbox.settings())
    wanted = {"number": "1001", "lines": LINES}
    for _ in range(4):
        sandbox.faults = Faults(drop_answer_next=1)
        assert isinstance(await push(speaks, "notes", wanted), ChannelUnavailable)
    sandbox.faults = Faults()
    assert await push(speaks, "notes", wanted) == Confirmed()
    assert [one["note"] for one in sandbox.notes["1001"]] == LINES
    assert all(one["customer_note"] for one in sandbox.notes["1001"])
    await speaks.close()
    await sandbox.stop()


async def test_a_status_is_taken_back_and_what_the_shop_does_not_have_is_a_refusal() -> None:
    sandbox = WooOrdersSandbox()
    await sandbox.start()
    speaks = connector(sandbox.settings())
    assert await push(speaks, "status", None) == Confirmed() and not sandbox.received
    assert await push(speaks, "status", {"number": "1001", "status": "completed"}) == Confirmed()
    assert await push(speaks, "status", None, receipt=7) == Confirmed()
    assert sandbox.statuses == {"1001": "processing"}
    sandbox.refused.add("1001")
    outcome = await push(speaks, "notes", {"number": "1001", "lines": LINES})
    assert isinstance(outcome, Rejected) and outcome.reasons[0].code == "woocommerce_rest_shop_order_invalid_id"
    await speaks.close()
    await sandbox.stop()
