"""Gets OAuth 2.0 access tokens for a connector, and keeps each until shortly before it ends.

A grant's form has two to five fields, and two of its answer matter (RFC 6749, 4.4 and 6; RFC 7523). What takes care is
the rest: one renewal for all who wait, one more after a refusal, throttles and outages as outcomes, no secret in the
journal, nothing asked for a preview. OAuth libraries bring HTTP clients of their own and leave just that to the caller,
so this module has it, over `Calls`.
"""

import asyncio
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from daybook.channel.calls import Answer, Calls, Unanswered, previewing
from daybook.channel.contract import ChannelUnavailable, Throttled
from daybook.channel.reach import SECRET_LENGTH_MIN, without

EARLY_SECONDS_MAX = 60.0
"""A token is given up so long before its end (a tenth of its life if that is less), so that none ends on the way."""
LIFE_SECONDS = 300.0
"""Of a token whose answer does not tell it: `expires_in` is only recommended."""
PREVIEW_TOKEN = "preview"
_SHOWN_FIELDS = frozenset({"grant_type", "scope", "client_id"})
"""Of the form; the others are, or prove, secrets."""


class Grant(msgspec.Struct, frozen=True):
    """What a token is asked for with: the fields of the form, made anew for each request, and headers."""

    form: Callable[[], Mapping[str, str]]
    headers: Mapping[str, str] = {}


def client_credentials(client_id: str, client_secret: str, *, basic: bool = False, scope: str | None = None) -> Grant:
    """Makes the grant of an application that acts for itself; `basic` sends its secret as Basic authentication."""
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
    if basic:
        pair = b64encode(f"{client_id}:{client_secret}".encode()).decode()
        return Grant(lambda: form, {"Authorization": f"Basic {pair}"})
    return Grant(lambda: form | {"client_id": client_id, "client_secret": client_secret})


def refresh_token(client_id: str, client_secret: str, token: str) -> Grant:
    """Makes the grant of an application that somebody has allowed to act for them, once, by hand."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return Grant(lambda: form | {"client_id": client_id, "client_secret": client_secret})


def jwt_bearer(assertion: Callable[[], str]) -> Grant:
    """Makes the grant of a service account; `assertion` signs a new JWT, which is valid for a short time only."""
    return Grant(lambda: {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion()})


class NoToken(Unanswered):
    """No access token came, so the channel was not asked for anything."""

    def __init__(self, outcome: Throttled | ChannelUnavailable) -> None:
        super().__init__(str(outcome))
        self._outcome = outcome

    def outcome(self) -> Throttled | ChannelUnavailable:
        """Tells the engine what the sign-in came to."""
        return self._outcome


class OAuth:
    """Signs one account in at one address. All of a connector's requests share it."""

    def __init__(
        self,
        url: str,
        grant: Grant,
        *,
        issuer: str,
        check: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`issuer` gives the tokens, and `check` says what to look at when it gives none: both are for people."""
        self._calls = Calls(url)
        self._grant = grant
        self._issuer, self._check = issuer, check
        self._clock = clock
        self._token, self._ends = "", 0.0
        self._renewal: asyncio.Task[str | NoToken] | None = None

    async def token(self, refused: str = "") -> str:
        """Gives a token that still holds, a new one when the present one is `refused`. Raises NoToken."""
        if previewing.get():
            return PREVIEW_TOKEN
        if self._token and self._token != refused and self._clock() < self._ends:
            return self._token
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(self._renewed)
        # A push that is given up must not end the renewal for the others that wait for it.
        given = await asyncio.shield(self._renewal)
        if isinstance(given, NoToken):
            raise given
        return given

    async def send(
        self,
        request: Callable[[str], Awaitable[Answer]],
        refuses: Callable[[Answer], bool] = lambda answer: answer.status == 401,
    ) -> Answer:
        """Sends the request with a token; once more, with a new one, when the channel `refuses` the first.

        The answer to the second stands, whatever it is. Raises Unanswered.
        """
        token = await self.token()
        answer = await request(token)
        return await request(await self.token(token)) if refuses(answer) else answer

    async def close(self) -> None:
        """Closes the connection pool; a renewal under way is given up."""
        if self._renewal is not None:
            self._renewal.cancel()
        await self._calls.close()

    def _renewed(self, renewal: asyncio.Task[str | NoToken]) -> None:
        self._renewal = None

    async def _renew(self) -> str | NoToken:
        asked = self._clock()
        try:
            answer = await self._calls.request(
                "POST",
                "",
                form=self._grant.form(),
                headers={"Accept": "application/json"} | dict(self._grant.headers),
                secret=True,
            )
        except Unanswered as error:
            return NoToken(error.outcome())
        outage = answer.outage()
        if outage is not None:
            return NoToken(outage)
        body: Mapping[str, Any] = answer.body if isinstance(answer.body, dict) else {}
        token = body.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not token:
            return NoToken(ChannelUnavailable(self._refusal(answer, body)))
        life = _seconds(body.get("expires_in"))
        self._token, self._ends = token, asked + life - min(EARLY_SECONDS_MAX, life / 10)
        return token

    def _refusal(self, answer: Answer, body: Mapping[str, Any]) -> str:
        code = body.get("error") or answer.status
        why = str(body.get("error_description") or f"HTTP {answer.status}").rstrip(".")
        # The answer to a request that is all secrets: whoever asks for a token may be answered with what was sent.
        form = self._grant.form()
        sent = [one for key, one in form.items() if key not in _SHOWN_FIELDS and len(one) >= SECRET_LENGTH_MIN]
        said = without(f"({code}): {why}", [*self._calls.hidden(self._grant.headers), *sent])
        return f"{self._issuer} gave no access token {said}. Check {self._check}"


def _seconds(expires_in: object) -> float:
    """A token's life: some servers send the number as text, and some none."""
    try:
        return max(0.0, float(str(expires_in)))
    except ValueError:
        return LIFE_SECONDS
