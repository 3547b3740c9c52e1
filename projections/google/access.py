"""The access token of Google's OAuth 2.0: asked for with a refresh token, shared by all requests until it is old."""

import asyncio
import time
from collections.abc import Callable

from daybook.channel.calls import Calls, Unanswered, previewing
from daybook.channel.contract import Throttled, Unavailable

LIFE_USED = 0.9
"""A token is renewed in the last tenth of its life, so that it does not end on the way to Google."""


class Access:
    """One token at a time; whoever comes while it is being fetched waits for the same one."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.calls = Calls(token_url)
        self._form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": client_id,
            "client_secret": client_secret,
        }
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def token(self, refused: str = "") -> str | Throttled | Unavailable:
        """A token that is still good; a new one when the present one is `refused`, the one that Google turned down."""
        async with self._lock:
            asked = self._clock()
            if self._token and self._token != refused and asked < self._until:
                return self._token
            try:
                answer = await self.calls.request("POST", "", form=self._form, secret=True)
            except Unanswered as error:
                return Unavailable(str(error))
            outage = answer.outage()
            if outage is not None:
                return outage
            body = answer.body if isinstance(answer.body, dict) else {}
            if answer.status != 200 or not body.get("access_token"):
                why = str(body.get("error_description") or f"HTTP {answer.status}").rstrip(".")
                return Unavailable(
                    f"Google gave no access token ({body.get('error', answer.status)}): {why}. Check "
                    "DAYBOOK_CHANNEL_GOOGLE_CLIENT_ID, _CLIENT_SECRET and _REFRESH_TOKEN"
                )
            if previewing.get():
                return str(body["access_token"])  # a made-up one, not to be kept
            self._token = str(body["access_token"])
            self._until = asked + float(body.get("expires_in", 3600)) * LIFE_USED
            return self._token
