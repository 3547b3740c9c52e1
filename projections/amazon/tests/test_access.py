"""The connector when sign-in, the network or Amazon itself stands in the way."""

import asyncio

import pytest

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import Accepted, ChannelUnavailable, Confirmed, Throttled
from daybook_projections.amazon.tests.desk import SKU, Desk, at_desk, suitcase


def test_a_token_serves_all_requests_and_one_that_expired_is_replaced_within_the_push() -> None:
    async def scenario(desk: Desk) -> None:
        history = suitcase()
        await asyncio.gather(*(desk.connector.push(desk.push_of(SKU, "product", history)) for _ in range(5)))
        assert desk.requests().count("POST") == 1
        desk.now += desk.sandbox.token_seconds
        assert isinstance(await desk.bring(desk.push_of(SKU, "product", history)), Confirmed)
        refused = [received.status for received in desk.sandbox.received if received.method == "PUT"]
        assert refused == [200] * 5 + [403, 200]
        assert desk.requests().count("POST") == 2

    at_desk(scenario)


def test_access_that_is_refused_with_a_new_token_too_is_an_outage_with_a_reason() -> None:
    async def scenario(desk: Desk) -> None:
        outcome = await desk.connector.push(desk.push_of(SKU, "product", suitcase()))
        assert isinstance(outcome, ChannelUnavailable)
        assert "even with a new token" in outcome.reason
        assert "The seller is not one that this application may act for." in outcome.reason
        assert desk.requests() == ["POST", "PUT", "POST", "PUT"]

    at_desk(scenario, seller_id="ANOTHER")


@pytest.mark.parametrize(("wrong", "named"), [("refresh_token", "invalid_grant"), ("client_secret", "invalid_client")])
def test_wrong_credentials_are_an_outage_that_names_the_settings(wrong: str, named: str) -> None:
    async def scenario(desk: Desk) -> None:
        outcome = await desk.connector.push(desk.push_of(SKU, "product", suitcase()))
        assert isinstance(outcome, ChannelUnavailable)
        assert named in outcome.reason
        assert "DAYBOOK_CHANNEL_AMAZON_CLIENT_ID" in outcome.reason
        assert "wrong" not in outcome.reason
        assert desk.requests() == ["POST"]

    at_desk(scenario, **{wrong: "wrong"})


def test_another_marketplace_in_the_channels_settings_than_in_the_connection_sends_nothing() -> None:
    async def scenario(desk: Desk) -> None:
        outcome = await desk.connector.push(desk.push_of(SKU, "product", suitcase()))
        assert isinstance(outcome, ChannelUnavailable)
        assert "DAYBOOK_CHANNEL_AMAZON_MARKETPLACE_ID" in outcome.reason
        assert desk.requests() == []

    at_desk(scenario, marketplace_id="A1PA6795UKMFR9")


@pytest.mark.parametrize("during", ["token", "push", "confirm"])
@pytest.mark.parametrize("fault", ["outage", "html_503", "throttle"])
def test_trouble_is_told_from_refusal_wherever_it_strikes(during: str, fault: str) -> None:
    async def scenario(desk: Desk) -> None:
        push = desk.push_of(SKU, "product", suitcase())
        accepted = await desk.connector.push(push) if during != "token" else None
        faults = desk.sandbox.faults
        faults.outage, faults.html_503 = fault == "outage", fault == "html_503"
        faults.throttle_next = 1 if fault == "throttle" else 0
        if during == "confirm":
            assert isinstance(accepted, Accepted)
            outcome = await desk.connector.confirm(push, accepted.submission)
        else:
            outcome = await desk.connector.push(push)
        assert isinstance(outcome, Throttled if fault == "throttle" else ChannelUnavailable)
        faults.outage = faults.html_503 = False
        desk.apply()
        assert isinstance(await desk.bring(push), Confirmed)

    at_desk(scenario)


def test_no_secret_reaches_the_journal() -> None:
    async def scenario(desk: Desk) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        settings = desk.sandbox.settings()
        secrets = [settings["client_secret"], settings["refresh_token"], *desk.sandbox.tokens]
        assert [exchange.method for exchange in kept] == ["POST", "GET", "PUT", "GET"]
        assert not [secret for secret in secrets for exchange in kept if secret in repr(exchange)]
        assert kept[2].request is not None

    at_desk(scenario)
