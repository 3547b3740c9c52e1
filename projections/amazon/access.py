"""The access token of Login with Amazon: asked for with the refresh token, shared by all requests until it is old."""

import asyncio
import time

from daybook.channel.calls import Calls, Unanswered, previewing
from daybook.channel.contract import Throttled, Unavailable

EARLY_SECONDS_MAX = 60.0
"""A token is given up so long before its end (a tenth of its life if that is less), so that none dies on the way."""


class Access:
    """One token at a time; whoever comes while it is being fetched waits for the same one."""

    def __init__(self, calls: Calls, client_id: str, client_secret: str, refresh_token: str) -> None:
        self.calls = calls
        self._form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": client_id,
            "client_secret": client_secret,
        }
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def token(self, refused: str = "") -> str | Throttled | Unavailable:
        """A token that is still good; a new one if the present one is `refused`, the one that Amazon turned down."""
        async with self._lock:
            if self._token and self._token != refused and time.monotonic() < self._until:
                return self._token
            try:
                answer = await self.calls.request("POST", "/auth/o2/token", form=self._form, secret=True)
            except Unanswered as error:
                return error.outcome()
            outage = answer.outage()
            if outage is not None:
                return outage
            body = answer.body if isinstance(answer.body, dict) else {}
            if answer.status != 200 or not body.get("access_token"):
                why = str(body.get("error_description") or f"HTTP {answer.status}").rstrip(".")
                return Unavailable(
                    f"Amazon gave no access token ({body.get('error', answer.status)}): {why}. Check "
                    "DAYBOOK_CHANNEL_AMAZON_CLIENT_ID, _CLIENT_SECRET and _REFRESH_TOKEN"
                )
            if previewing.get():
                return str(body["access_token"])  # made up: no request that leaves may ever have it
            life = float(body.get("expires_in", 3600))
            self._token = str(body["access_token"])
            self._until = time.monotonic() + life - min(EARLY_SECONDS_MAX, life / 10)
            return self._token
