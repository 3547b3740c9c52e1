"""The HTTP client that connectors use: one request, its answer, and a record of both for the journal.

No retry here: whether and when to try again is the delivery engine's decision, made from the outcome.
"""

import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver

from daybook.channel.contract import ChannelUnavailable, Throttled
from daybook.channel.pacing import Pace, Rate, TooSoon
from daybook.channel.reach import CREDENTIAL, SECRET_LENGTH_MIN, NetworkReach, connecting, hidden, without

ANSWER_SECONDS_MAX = 20.0
BODY_KEPT_BYTES_MAX = 4000
ANSWER_BYTES_MAX = 16 * 1024 * 1024
RETRY_AFTER_SECONDS_MAX = 3600.0
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


class Answer(msgspec.Struct, frozen=True):
    """What came back. `body` is the decoded JSON, or None when it is something else (a proxy's HTML page)."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str
    operation: str | None = None
    """What the request was for, when its pace is kept: a throttle then holds this operation back and nothing else."""

    def outage(self) -> Throttled | ChannelUnavailable | None:
        """The outcome that this status means on every channel, or None when the connector has to look closer."""
        if self.status == 429:
            return self.throttle()
        if self.status >= 500 or (self.body is None and self.text and self.status != 204):
            # Hazard: no text of it. What the engine is told is shown to everybody who may see the channel; a body that
            # is not in the channel's own words may come from anywhere. The journal keeps it for the operator.
            said = "" if self.status >= 400 else " with something that is no JSON"
            return ChannelUnavailable(f"HTTP {self.status}{said}", self.retry_after())
        return None

    def throttle(self, seconds: float | None = None) -> Throttled:
        """The outcome of "too fast", after which the operation, or the channel, is left alone for a while."""
        return Throttled(seconds or self.retry_after(), self.operation)

    def retry_after(self) -> float | None:
        """Seconds from a Retry-After header (a number or an HTTP date), at most an hour; None without a usable one."""
        return retry_after_seconds(self.headers, time.time())


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer, for the journal. Headers are left out: they hold the credentials."""

    method: str
    url: str
    request: bytes | None
    status: int | None
    answer: str | None
    milliseconds: float
    error: str | None = None
    people: tuple[str, ...] = ()
    """Whose data the request, the answer or the address may hold: ids."""


class Unanswered(Exception):
    """No answer came: refused, cut or timed out. The channel may or may not have done what was asked."""

    def outcome(self) -> Throttled | ChannelUnavailable:
        """The outcome for the engine."""
        return ChannelUnavailable(str(self))


class Early(Unanswered):
    """Nothing was sent: the operation has its turn later."""

    def __init__(self, said: TooSoon) -> None:
        super().__init__(str(said))
        self._said = said

    def outcome(self) -> Throttled | ChannelUnavailable:
        """The outcome for the engine: the lane is put off."""
        return Throttled(self._said.seconds, self._said.operation)


class NotHeld(Unanswered):
    """Nothing was sent: the lane may be another worker's by now."""

    def outcome(self) -> Throttled | ChannelUnavailable:
        """The outcome for the engine: the lane is put off, and its new owner sends."""
        return Throttled(0.0, "lease")


class Previewed(Unanswered):
    """Nothing was sent: the request is only to be seen."""


previewing: ContextVar[bool] = ContextVar("previewing", default=False)
"""While it is set no request leaves: it is recorded, and Previewed is raised."""

may_send: ContextVar[Callable[[], bool] | None] = ContextVar("may_send", default=None)
"""The engine puts here whether the lane is surely held. Asked right before a request leaves, after every wait."""

exchanges: ContextVar[list[Exchange] | None] = ContextVar("exchanges", default=None)
"""The engine puts a fresh list here around each push; `Calls` fills it."""


class Calls:
    """A connector's HTTP client: one connection pool, opened on first use inside the running loop.

    `rates` are the channel's limits by operation, the name that a request is given. A connector that has an attribute
    `pace` (this one's) lets the engine share them out among its workers.

    It goes where `reach` lets it: by default, where the settings let the connector go that is being made. Made apart
    from any settings, as in a test, it may go to the address of this machine that it was given. Redirects are never
    followed.
    """

    def __init__(
        self,
        base_url: str,
        in_flight_max: int = 32,
        rates: Mapping[str, Rate] | None = None,
        *,
        reach: NetworkReach | None = None,
        resolver: AbstractResolver | None = None,
        answer_seconds_max: float | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.pace = Pace(rates)
        self.reach = reach or connecting.get() or _unsaid(base_url)
        self._secrets = hidden.get()
        self._resolver = resolver
        self._answer_seconds_max = answer_seconds_max
        self._limit = in_flight_max
        self._session: aiohttp.ClientSession | None = None

    def elsewhere(self, base_url: str) -> "Calls":
        """A client for an address that came in an answer, as a file's: it may go where this one may. To be closed."""
        made = Calls(base_url, self._limit, reach=self.reach)
        made._secrets = self._secrets
        return made

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        secret: bool = False,
        operation: str | None = None,
        cost: float = 1.0,
        people: tuple[str, ...] = (),
    ) -> Answer:
        """Sends one request: `body` as JSON or `form`. Raises Unanswered. `secret` keeps bodies off the journal.

        `people` are the ids of those whose data it holds: what the journal keeps of it is cleared when one is erased.

        `path` must already be percent-encoded. A connector that needs another media type names it in `headers`.
        With an `operation` it waits for that operation's turn first, and learns from the answer's headers; `cost` is
        what the request takes of the rate.
        """
        if previewing.get():
            hidden = secret or bool(people)  # a preview is shown to whoever may see the channel
            raise self._previewed(method, self._url(path, None if people else query), None if hidden else body)
        await self._permitted(f"{method} {self.base_url}{path} was not sent", path, operation, cost)
        raw = msgspec.json.encode(body) if body is not None else None
        sent = {"Content-Type": "application/json"} if raw is not None else {}
        started = time.perf_counter()
        status, text, failure = None, None, None
        try:
            async with self._opened().request(
                method,
                self.base_url + path,
                data=raw if raw is not None else form,
                params=query,
                headers=sent | dict(headers or {}),
                allow_redirects=False,
            ) as response:
                data = await whole(response, ANSWER_BYTES_MAX)
                status, text = response.status, data.decode("utf-8", "replace")
                if not secret and (shown := without(text, self.hidden(headers))) is not text:
                    text, data = shown, shown.encode()
                answer = Answer(status, response.headers, _json(data), text, operation)
                if operation is not None:
                    self.pace.learn(operation, status, response.headers, answer.retry_after())
                return answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = without(f"{type(error).__name__}: {error}".rstrip(": "), self.hidden(headers))
            raise Unanswered(f"{method} {self.base_url}{path} was not answered: {failure}") from error
        finally:
            kept = exchanges.get()
            if kept is not None:
                kept.append(
                    Exchange(
                        method=method,
                        url=without(self._url(path, None if secret else query), self._secrets),
                        request=None if secret else raw,
                        status=status,
                        answer=None if secret or text is None else text[:BODY_KEPT_BYTES_MAX],
                        milliseconds=(time.perf_counter() - started) * 1000,
                        error=failure,
                        people=people,
                    )
                )

    async def _permitted(self, said: str, path: str, operation: str | None, cost: float) -> None:
        """Waits for the operation's turn. Raises Early, NotHeld, and Unanswered for where no request goes."""
        if operation is not None:
            try:
                await self.pace.turn(operation, cost)
            except TooSoon as early:
                raise Early(early) from None
        held = may_send.get()
        if held is not None and not held():
            raise NotHeld(f"{said}: the lane may be another worker's by now")
        refusal = self._refusal(path)
        if refusal is not None:
            raise Unanswered(f"{said}: {refusal}")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self.reach.pool(self._limit, self._resolver),
                timeout=aiohttp.ClientTimeout(total=self._answer_seconds_max or ANSWER_SECONDS_MAX),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            # Hazard: when a kept-alive connection turns out to be cut, aiohttp sends an idempotent request once more by
            # itself. The journal would show one request where the channel saw two, and "no answer" would be hidden
            # from the engine. There is no public switch (aiohttp 3.14); the contract suite fails without this line.
            self._session._retry_connection = False
        return self._session

    def hidden(self, headers: Mapping[str, str] | None) -> list[str]:
        """What no answer may say back: the settings' secrets, and what the request's own headers hold of the kind."""
        sent = [value for name, value in (headers or {}).items() if CREDENTIAL.search(_plain_name(name))]
        words = (one for value in sent for one in value.split())
        return [*self._secrets, *(one for one in words if len(one) >= SECRET_LENGTH_MIN)]

    def _refusal(self, path: str) -> str | None:
        if path[:1] not in ("", "/", "?"):
            return "the path would change the host"
        return _refused(self.reach, self.base_url)

    def _url(self, path: str, query: Mapping[str, str] | None) -> str:
        """For people: where the request goes."""
        return self.base_url + path + (f"?{urlencode(query, quote_via=quote, safe='/,')}" if query else "")

    def _previewed(self, method: str, url: str, body: Any) -> Previewed:
        kept = exchanges.get()
        if kept is not None:
            raw = msgspec.json.encode(body) if body is not None else None
            kept.append(Exchange(method=method, url=url, request=raw, status=None, answer=None, milliseconds=0.0))
        return Previewed(f"{method} {url} was not sent: this is a preview")

    async def close(self) -> None:
        """Closes the connection pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None


@lru_cache(maxsize=1024)
def _refused(reach: NetworkReach, base_url: str) -> str | None:
    """Looked at once: what decides is before the path, and taking an address apart costs a tenth of a whole call."""
    return reach.refusal(base_url)


def _plain_name(header: str) -> str:
    return "auth" if header.lower() in ("authorization", "proxy-authorization", "cookie") else header.lower()


def _unsaid(base_url: str) -> NetworkReach:
    """Nobody's settings are at hand. In the middle of a push the address may be a stranger's: it gives no right."""
    return NetworkReach() if exchanges.get() is not None else NetworkReach.of({"url": base_url})


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """Retry-After, a number or a date (RFC 9110, 10.2.3), in seconds, at most an hour; None without a usable one."""
    value = headers.get("Retry-After", "").strip()
    if _NUMBER.fullmatch(value):
        return min(float(value), RETRY_AFTER_SECONDS_MAX)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return min(max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now), RETRY_AFTER_SECONDS_MAX)


async def whole(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """The whole body. Raises aiohttp.ClientPayloadError for a longer one than a marketplace would send."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > bytes_max:
            raise aiohttp.ClientPayloadError(f"the answer is longer than {bytes_max} bytes")
    return b"".join(chunks)


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data) if data else None
    except msgspec.DecodeError:
        return None
