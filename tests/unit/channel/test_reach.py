"""Where connectors may go: what the operator said, and nothing that a request or an answer made of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web

from daybook.channel.calls import Answer, Calls, Exchange, Unanswered, exchanges
from daybook.channel.contract import ChannelUnavailable, Manifest, Outcome, Push, Rejected, Setting, Stopped
from daybook.channel.reach import SWITCHES, NetworkReach
from daybook.channel.registry import installed
from daybook_projections.template import manifest as template

SECRET = "s3cret-of-the-shop"
CHANNELS = installed().channels()
SANDBOX = "http://127.0.0.1:8081"


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server that answers everything with the handler; its address."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


TO_DO: dict[str, dict[str, Any]] = {
    "bolparcels": {"number": "1", "person": None, "parcels": [{"parcel": "p", "items": {"1": 1}}]},
    "deepl": {"text": "x", "source": "0", "source_locale": "nl-NL", "from": "NL", "to": "DE", "settings": {}},
    "shopifyparcels": {"number": "1", "notify": False, "parcels": [{"parcel": "p", "lines": {"1": 1}}]},
}
"""What those are given that have nothing to do when something is taken off."""


def outcome(manifest: Manifest, given: Mapping[str, str]) -> Outcome:
    """Of taking a product off, or of a piece of work, with a connector that these settings make."""

    async def run() -> Outcome:
        connector = manifest.connect(given)
        facet = manifest.facets[0]
        push = Push(
            sku="S1",
            key="S1",
            facet=facet,
            payload=TO_DO.get(manifest.name),
            listing={},
            remote_id="1",
            remote_ids={"S1": "1"},
            position=1,
            attempt=2,
        )
        try:
            return await connector.push(push)
        finally:
            await connector.close()

    return asyncio.run(run())


def complete(manifest: Manifest, url: str) -> dict[str, str]:
    """Settings with every address at this one."""
    secret = {"secret": "whsec_" + "QUJD" * 10}
    numbers = dict.fromkeys(("account", "data_source", "location_id", "publication_id"), "1")
    return dict.fromkeys(manifest.lacks({}), "x") | numbers | secret | {"url": url}


@pytest.mark.parametrize("manifest", CHANNELS, ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://10.0.0.1", "in a private network"),
        ("https://169.254.169.254", "a metadata service"),
        ("http://shop.example", "https"),
    ],
)
def test_no_channel_is_reached_in_a_private_network_or_without_tls_unless_the_operator_says_so(
    manifest: Manifest, url: str, why: str
) -> None:
    found = outcome(manifest, complete(manifest, url))
    assert isinstance(found, ChannelUnavailable), found
    assert why in found.reason


@pytest.mark.parametrize("manifest", CHANNELS, ids=lambda one: one.name)
def test_what_says_where_credentials_go_can_not_be_recorded(manifest: Manifest) -> None:
    recordable = set(manifest.recordable())
    assert not recordable & SWITCHES.keys()
    if "secret" not in manifest.lacks({}):  # its secret signs, and is sent to nobody
        assert not recordable


def test_an_address_of_this_machine_that_the_operator_typed_is_reached_and_only_that() -> None:
    typed = NetworkReach.of({"url": SANDBOX, "login_url": "http://localhost:8082/token", "note": "no address"})
    assert typed.loopback == {8081, 8082}
    assert typed.refusal(f"{SANDBOX}/x") is None
    assert typed.refusal("http://[::1]:8082") is None
    for url in ("http://127.0.0.1:5432", "http://shop.example:8081", "http://127.0.0.1.evil.example:8081", "http://"):
        assert typed.refusal(url) is not None


def test_what_was_recorded_gives_no_right_to_this_machine_nor_to_anything_else() -> None:
    given = {"url": SANDBOX, "allow_http": "true", "allow_private": "true"}
    assert NetworkReach.of(given, recorded=given) == NetworkReach()
    assert NetworkReach.of(given, recorded=("url",)) == NetworkReach(private=True, http=True)


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "file:///etc/passwd", "javascript:1", "//a.example", "http://[", ""]
)
def test_what_is_no_address_of_the_web_is_refused_whatever_was_allowed(url: str) -> None:
    assert NetworkReach(private=True, http=True).refusal(url) is not None


async def test_an_address_that_came_in_an_answer_gives_itself_no_right() -> None:
    token = exchanges.set([])
    try:
        with pytest.raises(Unanswered, match="was not sent: it is not https"):
            await Calls(SANDBOX).request("GET", "/")
    finally:
        exchanges.reset(token)
    elsewhere = Calls("https://shop.example").elsewhere(SANDBOX)
    with pytest.raises(Unanswered, match="was not sent: it is not https"):
        await elsewhere.request("GET", "/")


def test_the_name_of_another_host_in_a_path_does_not_change_the_host() -> None:
    with pytest.raises(Unanswered, match="was not sent"):
        asyncio.run(Calls("https://shop.example").request("GET", "@127.0.0.1/"))


@pytest.mark.parametrize("status", [200, 404, 500, 503])
def test_an_outage_is_told_without_a_word_of_the_answer(status: int) -> None:
    found = Answer(status, {}, None, "<html>the secret of another host</html>").outage()
    assert isinstance(found, ChannelUnavailable | Stopped)
    assert "secret" not in found.reason and str(status) in found.reason


async def test_a_server_that_repeats_a_secret_does_not_get_it_shown_or_kept() -> None:
    async def repeat(request: web.Request) -> web.Response:
        said = {"message": f"wrong: {request.headers['Authorization']} and {SECRET}", "name": "account-of-12"}
        return web.json_response(said, status=422)

    async with serving(repeat) as url:
        given = {"url": url, "key": SECRET, "account": "account-of-12"}
        manifest = msgspec.structs.replace(template, settings=(*template.settings, Setting("account", "whose")))
        connector = manifest.connect(given)
        kept: list[Exchange] = []
        token = exchanges.set(kept)
        try:
            found = await connector.push(
                Push(
                    sku="S",
                    key="S",
                    facet="stock",
                    payload={"stock": 1},
                    listing={},
                    remote_id="S",
                    remote_ids={},
                    position=1,
                    attempt=1,
                )
            )
        finally:
            exchanges.reset(token)
            await connector.close()
    assert isinstance(found, Rejected) and "wrong: Bearer ********" in found.reasons[0].message
    assert kept[0].answer is not None and "account-of-12" in kept[0].answer
    assert SECRET not in repr(found) + repr(kept)
