"""What Google shows is read back in the payload's words; what would be sent is seen without sending it."""

from typing import Any

import msgspec
import pytest

from daybook.channel.calls import Exchange, exchanges, previewing
from daybook.channel.contract import ChannelUnavailable, Held, Payload, ReadsBack, Rejected, Shown, Throttled
from daybook.channel.sandbox import Faults
from daybook.channel.testing import History, render
from daybook_projections.google import REFRESH_SECONDS, manifest
from daybook_projections.google.connector import encoded
from daybook_projections.google.readback import as_pushed
from daybook_projections.google.sandbox.server import LIFE_SECONDS
from daybook_projections.google.tests.desk import NAME, PICTURE, SHOP, Google, listing, on_google

RICH: dict[str, Any] = {
    "attributes": {"name": "Koffer  groot", "description": "Een koffer.\nMet wielen.", "brand": "Acme", "mpn": "K-1"},
    "media": (PICTURE, "https://img.example.com/2.jpg"),
}


def variant() -> Payload:
    shirt = {"name": "Shirt", "description": "Een shirt."}
    history = History().happened(SHOP)
    history.product("SHIRT", axes=("color",), attributes=shirt, price=("default", "10.00", "EUR"), listed=("google",))
    history.product("S1", parent="SHIRT", attributes={"color": "rood"}, media=(PICTURE,), stock={"main": 2})
    payload = render(manifest, history)["S1", "product"]
    assert not isinstance(payload, Held)
    assert payload["productAttributes"]["itemGroupId"] == "SHIRT"
    return payload


@pytest.mark.parametrize("wanted", [listing(), listing(**RICH), listing(stock=0, gtin=None), variant()])
def test_what_was_brought_and_is_untouched_reads_as_it_was_pushed(wanted: Payload) -> None:
    async def scenario(google: Google) -> None:
        assert isinstance(google.connector, ReadsBack)
        await google.bring(wanted)
        assert await google.connector.read(google.describe(wanted, 1)) == Shown({"product": wanted})

    on_google(scenario)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price", {"amountMicros": "1000000", "currencyCode": "EUR"}),
        ("availability", "OUT_OF_STOCK"),
        ("title", "Tas"),
        ("mpn", "somebody's"),
    ],
)
def test_an_edit_at_google_is_seen_although_its_version_is_still_ours(name: str, value: Any) -> None:
    async def scenario(google: Google) -> None:
        wanted = listing()
        await google.bring(wanted)
        google.sandbox.edit("S1", **{name: value})
        shown = await google.connector.read(google.describe(wanted, 1))
        changed = wanted | {"productAttributes": wanted["productAttributes"] | {name: value}}
        assert shown == Shown({"product": changed})
        await google.bring(wanted)
        assert await google.connector.read(google.describe(wanted, 1)) == Shown({"product": wanted})

    on_google(scenario)


def test_what_google_adds_of_its_own_and_says_in_other_words_is_no_difference() -> None:
    wanted = listing(**RICH)
    attributes = wanted["productAttributes"]
    shown = {
        **attributes,
        "title": f" {attributes['title']} ",
        "gtins": ["04015211100803"],
        "price": {"amountMicros": 19990000, "currencyCode": "EUR"},
        "availability": "in_stock",
        "googleProductCategory": "Luggage",
        "customLabel0": "sale",
    }
    assert as_pushed(wanted | {"productAttributes": shown, "versionNumber": "9"}, wanted) == wanted
    assert as_pushed(wanted, {}) == wanted


def test_what_is_not_there_is_none_until_it_is_shown_and_after_it_was_deleted_by_hand() -> None:
    async def scenario(google: Google) -> None:
        push, nothing = google.describe(listing(), 1), Shown({"product": None})
        assert await google.connector.read(push) == nothing
        await google.push(listing())
        assert await google.connector.read(push) == nothing
        google.now[0] += 600
        assert await google.connector.read(push) == Shown({"product": listing()})
        google.sandbox.drop("S1")
        assert await google.connector.read(push) == nothing
        assert encoded(NAME) in google.sandbox.received[-1].path

    on_google(scenario)


def test_what_is_brought_again_in_time_never_expires() -> None:
    async def scenario(google: Google) -> None:
        assert manifest.refresh_seconds == REFRESH_SECONDS < LIFE_SECONDS
        await google.bring(listing())
        for _ in range(3):
            google.now[0] += REFRESH_SECONDS
            assert list(google.sandbox.shown()) == ["S1"]
            await google.bring(listing())

    on_google(scenario)


def test_a_read_in_an_outage_says_nothing_about_the_listing() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        push = google.describe(listing(), 1)
        for faults, expected in (
            (Faults(outage=True), ChannelUnavailable),
            (Faults(html_503=True), ChannelUnavailable),
            (Faults(throttle_next=1), Throttled),
        ):
            google.sandbox.faults = faults
            assert isinstance(await google.connector.read(push), expected)
        google.sandbox.faults = Faults()
        google.sandbox.access = False
        assert isinstance(await google.connector.read(push), ChannelUnavailable)
        assert not isinstance(await google.connector.read(push), Rejected)

    on_google(scenario)


@pytest.mark.parametrize("remote_id", [None, NAME])
@pytest.mark.parametrize("remove", [False, True])
def test_a_preview_shows_the_request_and_sends_nothing(remote_id: str | None, remove: bool) -> None:
    async def scenario(google: Google) -> None:
        google.remote_id = remote_id
        kept: list[Exchange] = []
        tokens = previewing.set(True), exchanges.set(kept)
        await google.push(None if remove else listing(), 7)
        previewing.reset(tokens[0])
        exchanges.reset(tokens[1])
        assert not google.sandbox.received
        [seen] = kept
        assert (seen.status, seen.error) == (None, None)
        root = f"{google.sandbox.url}/products/v1/accounts/123/productInputs"
        source = "?dataSource=accounts/123/dataSources/456"
        if remove:
            assert (seen.method, seen.url, seen.request) == ("DELETE", f"{root}/{encoded(NAME)}{source}", None)
        else:
            assert (seen.method, seen.url) == ("POST", f"{root}:insert{source}")
            assert msgspec.json.decode(seen.request or b"") == listing() | {"versionNumber": "7"}
        await google.bring(listing(), 8)
        assert google.tokens() == 1, "a made-up token was kept"
        assert google.sent()[0] == "POST"

    on_google(scenario)
