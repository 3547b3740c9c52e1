"""Access tokens: when one is asked for, what a refusal means, and what is never written down."""

import asyncio
import itertools
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from daybook.channel.calls import Answer, Calls, Exchange, Previewed, exchanges, previewing
from daybook.channel.contract import ChannelUnavailable, Payload, Throttled
from daybook.channel.oauth import Grant, NoToken, OAuth, client_credentials, jwt_bearer, refresh_token
from daybook.channel.sandbox import SandboxServer

CLIENT = client_credentials("shop", "s3cret")


class Issuer(SandboxServer):
    """Gives tokens that are numbered and takes only those that it still knows."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Mapping[str, str]] = []
        """The form of each request for a token."""
        self.authorization: list[str | None] = []
        self.answer: Payload = {"expires_in": 3600, "token_type": "Bearer"}
        self.status = 200
        self.headers: Mapping[str, str] = {}
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()
        self.taken: set[str] = set()
        self._numbers = itertools.count(1)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/token", self._give), web.get("/", self._take)]

    def shown(self) -> Mapping[str, Payload]:
        return {}

    async def _give(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.given.append({name: str(value) for name, value in form.items()})
        self.authorization.append(request.headers.get("Authorization"))
        self.asked.set()
        await self.may_answer.wait()
        token = f"token-{next(self._numbers)}"
        if self.status == 200 and "access_token" not in self.answer:
            self.taken.add(token)
            return web.json_response({"access_token": token} | self.answer)
        return web.json_response(self.answer, status=self.status, headers=self.headers)

    async def _take(self, request: web.Request) -> web.Response:
        good = request.headers.get("Authorization", "").removeprefix("Bearer ") in self.taken
        return web.json_response({}, status=200 if good else 401)


class Account:
    """One connector's sign-in, its requests and a clock."""

    def __init__(self, issuer: Issuer, grant: Grant) -> None:
        self.issuer, self.now = issuer, 0.0
        self.oauth = OAuth(issuer.url + "/token", grant, issuer="Acme", check="ACME_ID", clock=lambda: self.now)
        self._api = Calls(issuer.url)

    async def ask(self) -> Answer:
        async def request(token: str) -> Answer:
            return await self._api.request("GET", "/", headers={"Authorization": f"Bearer {token}"})

        return await self.oauth.send(request)

    async def refused(self) -> Throttled | ChannelUnavailable:
        with pytest.raises(NoToken) as caught:
            await self.oauth.token()
        return caught.value.outcome()

    async def close(self) -> None:
        await self.oauth.close()
        await self._api.close()


@asynccontextmanager
async def account(grant: Grant = CLIENT) -> AsyncIterator[Account]:
    issuer = Issuer()
    await issuer.start()
    opened = Account(issuer, grant)
    try:
        yield opened
    finally:
        issuer.may_answer.set()
        await opened.close()
        await issuer.stop()


@pytest.mark.parametrize(
    ("grant", "form", "authorization"),
    [
        (CLIENT, {"grant_type": "client_credentials", "client_id": "shop", "client_secret": "s3cret"}, None),
        (
            client_credentials("shop", "s3cret", basic=True, scope="offers"),
            {"grant_type": "client_credentials", "scope": "offers"},
            "Basic " + b64encode(b"shop:s3cret").decode(),
        ),
        (
            refresh_token("shop", "s3cret", "1//kept"),
            {
                "grant_type": "refresh_token",
                "refresh_token": "1//kept",
                "client_id": "shop",
                "client_secret": "s3cret",
            },
            None,
        ),
        (
            jwt_bearer(lambda: "header.claims.signature"),
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": "header.claims.signature",
            },
            None,
        ),
    ],
)
async def test_each_grant_is_asked_for_in_the_words_of_its_standard(
    grant: Grant, form: dict[str, str], authorization: str | None
) -> None:
    async with account(grant) as one:
        assert await one.oauth.token() == "token-1"
        assert one.issuer.given == [form]
        assert one.issuer.authorization == [authorization]


async def test_a_service_account_signs_a_new_assertion_for_each_renewal() -> None:
    numbers = itertools.count(1)

    async with account(jwt_bearer(lambda: f"signed-{next(numbers)}")) as one:
        await one.oauth.token(await one.oauth.token())
        assert [form["assertion"] for form in one.issuer.given] == ["signed-1", "signed-2"]


async def test_a_token_serves_until_shortly_before_its_end() -> None:
    async with account() as one:
        tokens = []
        for one.now in (0.0, 3539.0, 3541.0):
            tokens.append(await one.oauth.token())
        assert tokens == ["token-1", "token-1", "token-2"]


@pytest.mark.parametrize(
    ("expires_in", "kept", "over"),
    [(299, 269.0, 270.0), ("299", 269.0, 270.0), (None, 269.0, 271.0), ("soon", 269.0, 271.0), (0, None, 0.0)],
)
async def test_a_life_that_is_short_odd_or_untold_is_kept_to(
    expires_in: object, kept: float | None, over: float
) -> None:
    async with account() as one:
        one.issuer.answer = {} if expires_in is None else {"expires_in": expires_in}
        first = await one.oauth.token()
        if kept is not None:
            one.now = kept
            assert await one.oauth.token() == first
        one.now = over
        assert await one.oauth.token() != first


async def test_all_who_need_a_token_at_once_share_one_renewal() -> None:
    async with account() as one:
        one.issuer.may_answer.clear()
        waiting = [asyncio.create_task(one.oauth.token()) for _ in range(20)]
        await one.issuer.asked.wait()
        one.issuer.may_answer.set()
        assert set(await asyncio.gather(*waiting)) == {"token-1"}
        assert len(one.issuer.given) == 1


async def test_all_who_waited_for_a_renewal_that_failed_are_told_so_at_once() -> None:
    async with account() as one:
        one.issuer.status, one.issuer.answer = 400, {"error": "invalid_client"}
        waiting = [asyncio.create_task(one.refused()) for _ in range(20)]
        outcomes = await asyncio.gather(*waiting)
        assert {type(outcome) for outcome in outcomes} == {ChannelUnavailable}
        assert len(one.issuer.given) == 1


async def test_a_push_that_is_given_up_leaves_the_renewal_to_the_others() -> None:
    async with account() as one:
        one.issuer.may_answer.clear()
        first, second = (asyncio.create_task(one.oauth.token()) for _ in range(2))
        await one.issuer.asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        one.issuer.may_answer.set()
        assert await second == "token-1"


async def test_a_token_that_the_channel_refuses_is_renewed_once_within_the_request() -> None:
    async with account() as one:
        assert (await one.ask()).status == 200
        one.issuer.taken.clear()
        assert (await one.ask()).status == 200
        assert len(one.issuer.given) == 2


async def test_a_channel_that_refuses_every_token_is_asked_twice_and_no_more() -> None:
    async with account() as one:
        one.issuer.answer = {"access_token": "never good"}
        assert (await one.ask()).status == 401
        assert [each.path for each in one.issuer.received] == ["/token", "/", "/token", "/"]


async def test_requests_whose_token_was_refused_together_cause_one_renewal() -> None:
    async with account() as one:
        await one.ask()
        one.issuer.taken.clear()
        answers = await asyncio.gather(*(one.ask() for _ in range(10)))
        assert {answer.status for answer in answers} == {200}
        assert len(one.issuer.given) == 2


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (lambda issuer: setattr(issuer.faults, "throttle_next", 1), Throttled(1.0)),
        (lambda issuer: setattr(issuer.faults, "html_503", True), ChannelUnavailable),
        (lambda issuer: setattr(issuer.faults, "outage", True), ChannelUnavailable),
    ],
)
async def test_a_throttle_and_an_outage_at_the_sign_in_are_outcomes(
    trouble: Callable[[Issuer], None], expected: object
) -> None:
    async with account() as one:
        trouble(one.issuer)
        outcome = await one.refused()
        assert outcome == expected or type(outcome) is expected
        one.issuer.faults = type(one.issuer.faults)()
        assert await one.oauth.token() == "token-1"


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "The token was revoked."},
            "(invalid_grant): The token was revoked. Check ACME_ID",
        ),
        (401, {"error": "invalid_client"}, "(invalid_client): HTTP 401. Check ACME_ID"),
        (200, {"access_token": ""}, "(200): HTTP 200. Check ACME_ID"),
        (200, {"access_token": 7}, "(200): HTTP 200. Check ACME_ID"),
    ],
)
async def test_credentials_that_are_refused_say_what_to_look_at(status: int, answer: Payload, said: str) -> None:
    async with account() as one:
        one.issuer.status, one.issuer.answer = status, answer
        outcome = await one.refused()
        assert isinstance(outcome, ChannelUnavailable)
        assert outcome.reason == f"Acme gave no access token {said}"


async def test_no_secret_and_no_token_reach_the_journal() -> None:
    async with account(client_credentials("shop", "s3cret", basic=True)) as one:
        kept: list[Exchange] = []
        exchanges.set(kept)
        token = await one.oauth.token()
        written = msgspec.json.encode(kept).decode()
        assert [(each.method, each.status) for each in kept] == [("POST", 200)]
        assert "s3cret" not in written
        assert token not in written


async def test_a_preview_asks_for_no_token_and_a_real_request_never_gets_a_made_up_one() -> None:
    async with account() as one:
        kept: list[Exchange] = []
        exchanges.set(kept)
        previewing.set(True)
        with pytest.raises(Previewed):
            await one.ask()
        previewing.set(False)
        assert not one.issuer.received
        assert [each.method for each in kept] == ["GET"]
        assert await one.oauth.token() == "token-1"
