"""The connector against the sandbox, over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from daybook.channel.calls import Answer, Exchange, exchanges
from daybook.channel.contract import (
    Accepted,
    Confirmed,
    Outcome,
    Payload,
    Push,
    Rejected,
    Throttled,
    Unavailable,
    Waiting,
)
from daybook.channel.sandbox import Faults
from daybook.channel.testing import History, render
from daybook.errors import BadConfiguration
from projections.google import manifest
from projections.google.access import Access
from projections.google.connector import GoogleConnector, connector, encoded
from projections.google.readback import failure, verdict
from projections.google.sandbox import GoogleSandbox

NAME = "nl~NL~S1"
PICTURE = "https://img.example.com/1.jpg"
SHOP = replace(manifest.defaults, extra={"product_url": "https://shop.example.com/p/{sku}"})
DONE = Confirmed(covers=("product",), remote_id=NAME)
GONE = Confirmed(covers=("product",))


def listing(price: str = "19.99", stock: int = 5, locale: str = "nl-NL", **changed: Any) -> Payload:
    usual: dict[str, Any] = {
        "gtin": "4015211100803",
        "attributes": {"name": "Koffer", "description": "Een koffer.", "brand": "Acme"},
        "media": (PICTURE,),
        "listed": ("google",),
    }
    given = usual | changed | {"price": ("default", price, "EUR"), "stock": {"main": stock}}
    history = History().happened(replace(SHOP, locales=(locale,))).product("S1", **given)
    payload = render(manifest, history)["S1", "product"]
    assert isinstance(payload, dict), payload
    return payload


class Google:
    """One sandbox whose time stands still, one connector, and the id that it told."""

    def __init__(self, sandbox: GoogleSandbox, now: list[float]) -> None:
        self.sandbox, self.now = sandbox, now
        self.connector: GoogleConnector = connector(sandbox.settings())
        self.remote_id: str | None = None

    def describe(self, payload: Payload | None, position: int, attempt: int = 1) -> Push:
        return Push(
            sku="S1",
            key="S1",
            facet="product",
            payload=payload,
            listing={} if payload is None else {"product": payload},
            remote_id=self.remote_id,
            remote_ids={},
            position=position,
            attempt=attempt,
        )

    async def push(self, payload: Payload | None, position: int = 1, attempt: int = 1) -> Outcome:
        outcome = await self.connector.push(self.describe(payload, position, attempt))
        if isinstance(outcome, Accepted | Confirmed) and outcome.remote_id is not None:
            self.remote_id = outcome.remote_id
        return outcome

    async def bring(self, payload: Payload | None, position: int = 1) -> Outcome:
        """Pushes, lets Google's minutes pass, and asks what became of it."""
        outcome = await self.push(payload, position)
        assert isinstance(outcome, Accepted), outcome
        self.now[0] += 600
        return await self.connector.confirm(self.describe(payload, position), outcome.submission)

    def sent(self) -> list[str]:
        """The requests so far, without those for tokens."""
        return [each.method for each in self.sandbox.received if each.path != "/token"]

    def tokens(self) -> int:
        return sum(each.path == "/token" for each in self.sandbox.received)


def on_google(scenario: Callable[[Google], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        now = [1_800_000_000.0]
        sandbox = GoogleSandbox(delay_seconds=300, clock=lambda: now[0], **options)
        await sandbox.start()
        google = Google(sandbox, now)
        try:
            await scenario(google)
        finally:
            await google.connector.close()
            await sandbox.stop()

    asyncio.run(run())


def test_an_insert_is_accepted_and_confirmed_once_google_shows_its_version() -> None:
    async def scenario(google: Google) -> None:
        outcome = await google.push(listing(), 42)
        assert outcome == Accepted(
            submission=f"insert/42/{NAME}", covers=("product",), remote_id=NAME, check_after_seconds=1.0
        )
        push = google.describe(listing(), 42)
        pending = Accepted(submission=f"insert/42/{NAME}", check_after_seconds=1.0)
        assert await google.connector.confirm(push, f"insert/42/{NAME}") == pending
        assert google.sandbox.shown() == {}
        google.now[0] += 600
        assert await google.connector.confirm(push, f"insert/42/{NAME}") == DONE
        assert google.sandbox.shown()["S1"] == {
            "title": "Koffer",
            "price": "19.99",
            "currency": "EUR",
            "stock": None,
            "availability": "IN_STOCK",
            "gtin": "4015211100803",
            "group": None,
            "live": True,
        }
        assert google.sent() == ["POST", "GET", "GET"]
        sent = google.sandbox.received[1]
        assert sent.path == "/products/v1/accounts/123/productInputs:insert"
        assert sent.query == {"dataSource": "accounts/123/dataSources/456"}
        assert sent.body == listing() | {"versionNumber": "42"}
        assert google.sandbox.received[2].path == f"/products/v1/accounts/123/products/{encoded(NAME)}"

    on_google(scenario)


def test_a_name_is_unpadded_base64url() -> None:
    assert encoded("en~US~sku/123") == "ZW5-VVN-c2t1LzEyMw"
    assert encoded("nl~NL~a") == "bmx-Tkx-YQ"


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"price": "24.50"}, {"price": "24.50"}),
        ({"stock": 0}, {"availability": "OUT_OF_STOCK", "stock": 0, "live": False}),
        ({"attributes": {"name": "Trolley", "description": "d"}}, {"title": "Trolley"}),
        ({"gtin": None}, {"gtin": None}),
    ],
)
def test_a_change_replaces_the_whole_product_and_twice_is_once(changed: dict[str, Any], shown: Payload) -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        before = google.sandbox.shown()["S1"]
        for _ in range(2):
            assert await google.bring(listing(**changed), 2) == DONE
            assert google.sandbox.shown()["S1"] == before | shown

    on_google(scenario)


def test_an_older_version_still_shown_is_not_ours_yet() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        outcome = await google.push(listing("24.50"), 2)
        assert isinstance(outcome, Accepted)
        again = await google.connector.confirm(google.describe(listing("24.50"), 2), outcome.submission)
        assert isinstance(again, Accepted)
        assert again.submission == outcome.submission

    on_google(scenario)


def test_an_insert_whose_answer_was_lost_is_simply_sent_again() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        google.sandbox.faults = Faults(drop_answer_next=1)
        assert isinstance(await google.push(listing("24.50"), 2), Unavailable)
        outcome = await google.push(listing("24.50"), 2, attempt=2)
        assert isinstance(outcome, Accepted)
        google.now[0] += 600
        assert await google.connector.confirm(google.describe(listing("24.50"), 2), outcome.submission) == DONE
        assert google.sandbox.shown()["S1"]["price"] == "24.50"
        assert list(google.sandbox.inputs) == [NAME]

    on_google(scenario)


def test_a_late_older_insert_changes_nothing_and_is_told_as_overtaken() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing("24.50"), 20)
        outcome = await google.push(listing("19.99"), 10)
        assert isinstance(outcome, Rejected)
        assert (outcome.reasons[0].code, outcome.reasons[0].field) == ("ABORTED", "versionNumber")
        assert "version 20" in outcome.reasons[0].message
        assert google.sandbox.shown()["S1"]["price"] == "24.50"

    on_google(scenario)


def test_an_older_version_of_what_is_shown_already_is_confirmed() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing(), 20)
        assert await google.push(listing(), 10) == DONE

    on_google(scenario)


def test_what_became_of_a_stale_insert_is_decided_when_the_newer_one_is_shown() -> None:
    async def scenario(google: Google) -> None:
        await google.push(listing("24.50"), 20)
        for _ in range(2):
            assert isinstance(await google.push(listing(), 10), Waiting)
        google.now[0] += 600
        assert isinstance(await google.push(listing(), 10), Rejected)

    on_google(scenario)


def test_removal_is_accepted_confirmed_when_it_is_not_shown_any_more_and_done_when_there_is_none() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        outcome = await google.push(None, 2)
        assert outcome == Accepted(submission=f"delete/2/{NAME}", covers=("product",), check_after_seconds=1.0)
        push = google.describe(None, 2)
        assert isinstance(await google.connector.confirm(push, f"delete/2/{NAME}"), Accepted)
        google.now[0] += 600
        assert await google.connector.confirm(push, f"delete/2/{NAME}") == GONE
        assert google.sandbox.shown() == {}
        assert await google.push(None, 3) == GONE

    on_google(scenario)


def test_removal_finds_a_product_whose_insert_was_never_answered() -> None:
    async def scenario(google: Google) -> None:
        await google.push(None)  # has its token now, so that the lost answer is the insert's
        google.sandbox.faults = Faults(drop_answer_next=1)
        assert isinstance(await google.push(listing()), Unavailable)
        assert list(google.sandbox.inputs) == [NAME]
        assert await google.bring(None, 2) == GONE
        assert google.sandbox.inputs == {}

    on_google(scenario)


def test_another_feed_is_another_product_and_the_old_one_goes() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        wrong = await google.push(listing(locale="en-GB"), 2)
        assert isinstance(wrong, Unavailable)
        assert "DAYBOOK_CHANNEL_GOOGLE_FEED" in wrong.reason
        await google.connector.close()
        google.connector = connector(google.sandbox.settings() | {"feed": "en~GB"})
        assert isinstance(await google.push(listing(locale="en-GB"), 2), Accepted)
        assert google.remote_id == "en~GB~S1"
        assert list(google.sandbox.inputs) == ["en~GB~S1"]
        assert google.sent() == ["POST", "GET", "POST", "DELETE"]

    on_google(scenario)


def test_a_refusal_is_told_by_its_stable_reason_and_field() -> None:
    async def scenario(google: Google) -> None:
        wanted = listing()
        wanted["productAttributes"] |= {"availability": "SOME"}
        outcome = await google.push(wanted)
        assert isinstance(outcome, Rejected)
        (reason,) = outcome.reasons
        assert (reason.code, reason.field) == ("INVALID_VALUE", "productAttributes.availability")
        assert "SOME" in reason.message

    on_google(scenario)


def test_a_product_that_google_disapproves_is_rejected_with_the_issue() -> None:
    async def scenario(google: Google) -> None:
        google.sandbox.broken_images.add(PICTURE)
        google.sandbox.page_prices["S1"] = {"amountMicros": "24500000", "currencyCode": "EUR"}
        outcome = await google.bring(listing())
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [
            ("image_link_broken", "imageLink"),
            ("price_mismatch", "price"),
        ]
        assert google.sandbox.shown()["S1"]["live"] is False
        google.sandbox.broken_images.clear()
        assert await google.bring(listing("24.50"), 2) == DONE

    on_google(scenario)


def test_a_warning_is_no_rejection() -> None:
    async def scenario(google: Google) -> None:
        wanted = listing(gtin=None)
        del wanted["productAttributes"]["identifierExists"]
        assert await google.bring(wanted) == DONE
        assert google.sandbox.shown()["S1"]["live"] is True

    on_google(scenario)


def test_an_expired_product_comes_back_with_the_very_version_that_it_had() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        google.now[0] += 31 * 24 * 3600
        assert google.sandbox.shown() == {}
        assert await google.bring(listing()) == DONE
        assert list(google.sandbox.shown()) == ["S1"]

    on_google(scenario)


def test_throttles_outages_and_proxy_pages_are_no_rejections() -> None:
    async def scenario(google: Google) -> None:
        accepted = await google.push(listing())
        assert isinstance(accepted, Accepted)
        for faults, expected in (
            (Faults(throttle_next=1), Throttled),
            (Faults(outage=True), Unavailable),
            (Faults(html_503=True), Unavailable),
        ):
            for ask in ("insert", "remove", "confirm"):
                google.sandbox.faults = msgspec.structs.replace(faults)
                if ask == "confirm":
                    outcome = await google.connector.confirm(google.describe(listing(), 1), accepted.submission)
                else:
                    outcome = await google.push(listing() if ask == "insert" else None, 2)
                assert isinstance(outcome, expected), (ask, faults)
        google.sandbox.faults = Faults(throttle_next=1)
        assert await google.push(listing(), 2) == Throttled(1.0)

    on_google(scenario)


def test_nobody_listening_is_unavailable() -> None:
    async def scenario(google: Google) -> None:
        await google.sandbox.stop()
        outcome = await google.push(listing())
        assert isinstance(outcome, Unavailable)
        assert google.sandbox.url in outcome.reason

    on_google(scenario)


def test_one_token_serves_many_pushes_and_an_expired_one_is_renewed_once_inside_the_push() -> None:
    async def scenario(google: Google) -> None:
        await asyncio.gather(*(google.push(listing()) for _ in range(8)))
        assert google.tokens() == 1
        google.sandbox.expire_tokens()
        assert isinstance(await google.push(listing("24.50"), 2), Accepted)
        assert google.tokens() == 2

    on_google(scenario)


def test_tokens_that_google_never_takes_are_asked_for_twice_at_most() -> None:
    async def scenario(google: Google) -> None:
        outcome = await google.push(listing())
        assert isinstance(outcome, Unavailable)
        assert "invalid authentication credentials" in outcome.reason
        assert google.tokens() == 2
        assert google.sent() == ["POST", "POST"]

    on_google(scenario, token_seconds=0)


def test_a_token_is_renewed_before_its_time_is_over() -> None:
    async def scenario(google: Google) -> None:
        told, now = google.sandbox.settings(), [0.0]
        access = Access(
            told["url"] + "/token", told["client_id"], told["client_secret"], told["refresh_token"], lambda: now[0]
        )
        tokens = []
        for now[0] in (0.0, 3200.0, 3300.0):
            tokens.append(await access.token())
        await access.calls.close()
        assert tokens[0] == tokens[1] != tokens[2]

    on_google(scenario)


@pytest.mark.parametrize(
    ("key", "said"), [("client_secret", "OAuth client was not found"), ("refresh_token", "expired or revoked")]
)
def test_wrong_credentials_are_unavailable_with_the_next_step(key: str, said: str) -> None:
    async def scenario(google: Google) -> None:
        await google.connector.close()
        google.connector = connector(google.sandbox.settings() | {key: "wrong"})
        outcome = await google.push(listing())
        assert isinstance(outcome, Unavailable)
        assert said in outcome.reason
        assert "DAYBOOK_CHANNEL_GOOGLE_CLIENT_ID" in outcome.reason

    on_google(scenario)


def test_an_account_without_access_and_a_wrong_data_source_are_the_connections_fault() -> None:
    async def scenario(google: Google) -> None:
        for key, value, said in (
            ("account", "999", "DAYBOOK_CHANNEL_GOOGLE_ACCOUNT"),
            ("data_source", "x", "_DATA_SOURCE"),
            ("data_source", "999", "was not found"),
        ):
            await google.connector.close()
            google.connector = connector(google.sandbox.settings() | {key: value})
            outcome = await google.push(listing())
            assert isinstance(outcome, Unavailable)
            assert said in outcome.reason

    on_google(scenario)


def test_no_token_and_no_secret_reach_the_journal() -> None:
    async def scenario(google: Google) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await google.push(listing())
        written = msgspec.json.encode(kept).decode()
        assert len(kept) == 2
        assert google.connector._access._token not in written
        assert "sandbox-secret" not in written
        assert "sandbox-refresh" not in written

    on_google(scenario)


def test_missing_settings_are_named() -> None:
    complete = dict.fromkeys(("url", "account", "data_source", "client_id", "client_secret", "refresh_token"), "x")
    for name in complete:
        with pytest.raises(BadConfiguration, match=f"DAYBOOK_CHANNEL_GOOGLE_{name.upper()}"):
            connector(complete | {name: ""})


def test_only_final_disapprovals_end_an_insert() -> None:
    def shown(version: str, *issues: Payload) -> Payload:
        return {"versionNumber": version, "productStatus": {"itemLevelIssues": list(issues)}}

    final = {"code": "policy", "severity": "disapproved", "resolution": "merchant_action", "description": "No. "}
    crawl = {"code": "image_crawl", "severity": "DISAPPROVED", "resolution": "PENDING_PROCESSING"}
    assert verdict({"versionNumber": "5"}, 5, {}, NAME) is None
    assert verdict(shown("4"), 5, {}, NAME) is None
    assert verdict(shown("5", crawl), 5, {}, NAME) == DONE
    refused = verdict(shown("5", final, final, crawl), 5, {}, NAME)
    assert isinstance(refused, Rejected)
    assert [(each.code, each.message) for each in refused.reasons] == [("policy", "No")]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, {"error": {"code": 429, "details": [{"retryDelay": "30s"}]}}, Throttled(30.0)),
        (429, {"error": {"code": 429}}, Throttled(None)),
        (503, {"error": {"status": "UNAVAILABLE"}}, Unavailable("HTTP 503: {}")),
        (404, {"error": {"message": "none"}}, Unavailable("Google gave an unexpected answer (HTTP 404): none")),
        (400, {"odd": 1}, Unavailable("Google gave an unexpected answer (HTTP 400): no reason given")),
    ],
)
def test_other_answers_have_their_outcome(status: int, body: Payload, expected: Outcome) -> None:
    assert failure(Answer(status, {}, body, "{}")) == expected


def test_a_body_that_is_no_product_is_refused_field_by_field() -> None:
    violation = {"field": "product_input.offer_id", "description": "is required"}
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
    error = {"code": 400, "status": "INVALID_ARGUMENT", "message": "bad", "details": [detail]}
    outcome = failure(Answer(400, {}, {"error": error}, "{}"))
    assert isinstance(outcome, Rejected)
    (reason,) = outcome.reasons
    assert (reason.code, reason.message, reason.field) == ("INVALID_ARGUMENT", "is required", "product_input.offer_id")
