"""What the template shows of a product, and why not."""

import asyncio

from daybook.channel.contract import ChannelUnavailable, Confirmed, Held, Outcome, Push, Rejected, Waiting
from daybook.channel.testing import History, given
from daybook_projections.template import manifest
from daybook_projections.template.connector import connector
from daybook_projections.template.sandbox.server import TemplateSandbox


def test_a_listed_product_is_an_offer_with_its_stock() -> None:
    history = History().product(
        "S1",
        attributes={"name@nl-NL": "Lamp"},
        price=("default", "19.99", "EUR"),
        stock={"main": 5},
        listed=("template",),
    )
    given(manifest, history).then(
        {
            ("S1", "offer"): {"title": "Lamp", "price": "19.99", "currency": "EUR"},
            ("S1", "stock"): {"stock": 5},
        }
    )


def test_a_product_without_a_listing_is_not_rendered() -> None:
    given(manifest, History().product("S1", price=("default", "19.99", "EUR"))).then({})


def test_what_an_offer_lacks_is_told() -> None:
    held = Held(("it has no name", "it has no price in EUR"))
    given(manifest, History().product("S1", listed=("template",))).then({("S1", "offer"): held})


def pushed(*pushes: tuple[str, dict[str, object] | None], key: str | None = None) -> list[Outcome]:
    """What becomes of (facet, payload) after (facet, payload), all of one SKU."""

    async def main() -> list[Outcome]:
        sandbox = TemplateSandbox()
        await sandbox.start()
        speaks = connector(sandbox.settings() | ({"key": key} if key else {}))
        try:
            return [
                await speaks.push(
                    Push(
                        sku="S1",
                        key="S1",
                        facet=facet,
                        payload=payload,
                        listing={facet: payload} if payload else {},
                        remote_id=None,
                        remote_ids={},
                        position=1,
                        attempt=1,
                    )
                )
                for facet, payload in pushes
            ]
        finally:
            await speaks.close()
            await sandbox.stop()

    return asyncio.run(main())


def test_stock_waits_for_its_offer() -> None:
    (outcome,) = pushed(("stock", {"stock": 5}))
    assert isinstance(outcome, Waiting)


def test_a_refusal_names_its_field_in_the_channels_words() -> None:
    (outcome,) = pushed(("offer", {"title": "x" * 81, "price": "1.00", "currency": "EUR"}))
    assert isinstance(outcome, Rejected)
    assert (outcome.reasons[0].field, outcome.reasons[0].message) == ("title", "must have 1 to 80 characters")


def test_a_wrong_key_is_an_outage_and_stock_that_goes_needs_no_request() -> None:
    outcomes = pushed(("offer", {"title": "x", "price": "1.00", "currency": "EUR"}), ("stock", None), key="wrong")
    assert isinstance(outcomes[0], ChannelUnavailable) and "the key is wrong" in outcomes[0].reason
    assert isinstance(outcomes[1], Confirmed)
