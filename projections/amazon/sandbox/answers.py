"""How the sandbox's Amazon answers: its error bodies, its headers, and how fast it lets an operation be called."""

import uuid
from collections.abc import Callable, Mapping

import msgspec
from aiohttp import web

from daybook.channel.pacing import Rate

PUBLISHED = {
    "putListingsItem": Rate(5, 10),
    "patchListingsItem": Rate(5, 5),
    "getListingsItem": Rate(5, 10),
    "deleteListingsItem": Rate(5, 5),
    "validateListingsItem": Rate(1, 1),
    "getDefinitionsProductType": Rate(5, 10),
    "createFeedDocument": Rate(0.5, 15),
    "createFeed": Rate(0.0083, 15),
    "getFeed": Rate(2, 15),
    "cancelFeed": Rate(2, 15),
    "getFeedDocument": Rate(0.0222, 10),
}
"""The default usage plan, requests a second and at once: what `limits` may be set to."""
GENEROUS_PER_SECOND = 1000.0
"""What the header tells of an operation that is not limited: as a seller with a plan that is never used up."""


class Limits:
    """A bucket for each operation that is limited. `rates` may be changed at any time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.rates: dict[str, Rate] = {}
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        """Requests left, and when that was."""

    def take(self, operation: str) -> bool:
        """Whether one more request is allowed now."""
        rate = self.rates.get(operation)
        if rate is None:
            return True
        now = self._clock()
        left, at = self._left.get(operation, (rate.burst, now))
        left = min(rate.burst, left + (now - at) * rate.per_second)
        allowed = left >= 1
        self._left[operation] = (left - allowed, now)
        return allowed

    def told(self, operation: str) -> str:
        """The rate as the header has it."""
        rate = self.rates.get(operation)
        return str(float(rate.per_second) if rate else GENEROUS_PER_SECOND)


def answer(status: int, body: object, rate: str | None, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer with Amazon's headers; `rate` is left out where Amazon does not tell it."""
    more = {"x-amzn-RequestId": str(uuid.uuid4())} | dict(headers or {})
    if rate is not None:
        more["x-amzn-RateLimit-Limit"] = rate
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json", headers=more)


def refused(status: int, code: str, message: str, details: str = "", rate: str | None = None) -> web.Response:
    """Amazon tells the rate with 400 and 404, not with 403, 413, 415 and 429."""
    errors = {"errors": [{"code": code, "message": message, "details": details}]}
    return answer(status, errors, rate if status in (400, 404) else None)


def quota() -> web.Response:
    """Too fast; Amazon does not say how long to wait."""
    return refused(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


def document_error(code: str, message: str) -> web.Response:
    """The file store's refusal, which is XML."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return web.Response(status=403, text=text, content_type="application/xml")
