"""One GraphQL request to Shopify and what its answer means for a push.

Shopify answers almost everything with HTTP 200: a throttle and a refused access are in `errors`, a refused value in
the mutation's own `userErrors`.

A shop counts points, not requests: https://shopify.dev/docs/api/usage/limits. A request is refused when the bucket does
not hold what it may cost at most (`requestedQueryCost`), and takes what it did cost (`actualQueryCost`). So the pace
counts by what the same document cost the last time, and leaves the difference in the bucket.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import ChannelUnavailable, Rejected, Throttled, Waiting
from daybook.channel.oauth import OAuth
from daybook.channel.pacing import Rate
from daybook.events import Rejection
from daybook_projections.shopify.operations import PATH

Node = dict[str, Any]
LISTINGS_FAULT = frozenset({"INVALID_VARIABLE", "BAD_USER_INPUT", "MAX_INPUT_SIZE_EXCEEDED"})
"""Errors of a whole request that are about the values in it. Any other is about the account, the version or Shopify."""
SCOPES = "write_products, write_inventory and write_publications"
WAIT_SECONDS = 1.0
"""After a throttle that does not say how much is left."""
GRAPHQL = "graphql"
RATES = {GRAPHQL: Rate(100.0, 2000.0)}
"""Points of a shop on the standard plan. Every answer says what this shop has, and that is used from then on."""
MUTATION_COST = 10.0
"""Of a mutation that has not been answered yet."""


class Stopped(Exception):
    """The push ends here, with this outcome."""

    def __init__(self, outcome: Rejected | Throttled | ChannelUnavailable | Waiting) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Refusal(Exception):
    """The mutation's userErrors: it did nothing."""

    def __init__(self, errors: list[Node]) -> None:
        super().__init__(errors)
        self.errors = errors

    def has(self, *codes: str) -> bool:
        """Whether one of the errors has one of the codes."""
        return any(error.get("code") in codes for error in self.errors)

    def about(self, field: str) -> bool:
        """Whether one of the errors is about this field, or a part of it."""
        return any(field in (error.get("field") or ()) for error in self.errors)

    def rejected(self, otherwise: str) -> Rejected:
        """The outcome, in Shopify's words. Some mutations' errors have no code: then the mutation's name stands."""
        return Rejected(
            tuple(
                Rejection(str(error.get("code") or otherwise), str(error.get("message", "")), _field(error))
                for error in self.errors
            )
        )


class NotDefined(Exception):
    """A custom id was named that no metafield definition makes unique: nothing was done or found."""


class Shop:
    """One shop's Admin API. `access` is a token that never ends, or what asks for tokens that do."""

    def __init__(self, url: str, access: str | OAuth) -> None:
        self._calls = Calls(url, rates=RATES)
        self._access = access
        self.pace = self._calls.pace
        self._costs: dict[str, tuple[float, float]] = {}
        """Document -> what it may cost at most and what it cost, the last time."""

    async def ask(self, document: str, name: str, variables: Mapping[str, Any]) -> Any:
        """What the document's one field `name` gives.

        Raises Stopped, Refusal (its userErrors), NotDefined for a custom id, and Unanswered.
        """
        _, cost = self._costs.get(document, (0.0, MUTATION_COST if document.lstrip().startswith("mutation") else 1.0))
        body = {"query": document, "variables": variables}

        async def send(token: str) -> Answer:
            headers = {"X-Shopify-Access-Token": token, "Accept": "application/json"}
            return await self._calls.request("POST", PATH, body=body, headers=headers, operation=GRAPHQL, cost=cost)

        answer = await (send(self._access) if isinstance(self._access, str) else self._access.send(send))
        self._learn(document, answer)
        data = answer.body.get("data") if isinstance(answer.body, dict) else None
        if any(_code(each) == "NOT_FOUND" and "custom id" in str(each.get("message")) for each in _dicts(answer)):
            raise NotDefined
        trouble = answer.status != 200 or not isinstance(data, dict) or answer.body.get("errors")
        if trouble or not isinstance(data, dict):
            raise Stopped(failure(answer))
        found = data.get(name)
        errors = found.get("userErrors") if isinstance(found, dict) else None
        if errors:
            raise Refusal(errors)
        return found

    async def fetch(self, method: str, url: str, content: bytes | None = None, boundary: str = "") -> Answer:
        """Sends one request to an address that Shopify gave: storage that is not the shop's, so without its token.

        It may go where the shop's own requests may go. Raises Unanswered.
        """
        parts = urlsplit(url)
        calls = self._calls.elsewhere(f"{parts.scheme}://{parts.netloc}")
        try:
            return await calls.request(
                method,
                url.removeprefix(calls.base_url),
                body=msgspec.Raw(content) if content is not None else None,
                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"} if content is not None else None,
                secret=True,
            )
        finally:
            await calls.close()

    def _learn(self, document: str, answer: Answer) -> None:
        cost = _cost(answer.body)
        status = cost.get("throttleStatus") or {}
        try:
            if cost.get("actualQueryCost") is not None:
                self._costs[document] = float(cost["requestedQueryCost"]), float(cost["actualQueryCost"])
            left, maximum = float(status["currentlyAvailable"]), float(status["maximumAvailable"])
            restored = float(status["restoreRate"])
        except (KeyError, TypeError, ValueError):
            return
        reserve = max((asked - took for asked, took in self._costs.values()), default=0.0)
        throttled = isinstance(answer.body, dict) and "THROTTLED" in map(_code, _dicts(answer))
        self.pace.observe(
            GRAPHQL,
            left=left - reserve,
            rate=Rate(restored, max(1.0, maximum - reserve)),
            quiet_seconds=wait_seconds(answer.body) if throttled else None,
        )

    async def close(self) -> None:
        """Closes the connection pools."""
        await self._calls.close()
        if isinstance(self._access, OAuth):
            await self._access.close()


def failure(answer: Answer) -> Rejected | Throttled | ChannelUnavailable:
    """The outcome of an answer without the hoped-for data."""
    if answer.status in (401, 402, 403):
        return ChannelUnavailable(
            f"Shopify refuses access (HTTP {answer.status}): {_said(answer)}. "
            f"Check the credentials DAYBOOK_CHANNEL_SHOPIFY_*, the scopes {SCOPES}, and that the shop is not frozen"
        )
    if answer.status == 423:
        return ChannelUnavailable("the shop is locked (HTTP 423): its owner has to settle that with Shopify")
    outage = answer.outage()
    if outage is not None:
        return outage
    errors = _dicts(answer)
    codes = {_code(error): str(error.get("message", "")) for error in errors}
    if "THROTTLED" in codes:
        return answer.throttle(wait_seconds(answer.body))
    if "ACCESS_DENIED" in codes:
        return ChannelUnavailable(
            f"Shopify refuses access: {codes['ACCESS_DENIED']}. The app needs the scopes {SCOPES}"
        )
    if errors and LISTINGS_FAULT.issuperset(codes):
        return Rejected(
            tuple(Rejection(_code(error), str(error.get("message", "")), _field(error)) for error in errors)
        )
    if answer.status == 404:
        return ChannelUnavailable("no Shopify Admin API answers there (HTTP 404); check DAYBOOK_CHANNEL_SHOPIFY_URL")
    return ChannelUnavailable(f"Shopify gave an unexpected answer (HTTP {answer.status}): {_said(answer)}")


def wait_seconds(body: Any) -> float:
    """Until the bucket holds what was asked for: (requested - available) / points restored in a second."""
    cost = _cost(body)
    status = cost.get("throttleStatus") or {}
    try:
        missing = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return max(0.0, missing / float(status["restoreRate"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return WAIT_SECONDS


def _cost(body: Any) -> Node:
    extensions = body.get("extensions") if isinstance(body, dict) else None
    cost = extensions.get("cost") if isinstance(extensions, dict) else None
    return cost if isinstance(cost, dict) else {}


def _dicts(answer: Answer) -> list[Node]:
    return [error for error in _errors(answer) if isinstance(error, dict)]


def _errors(answer: Answer) -> list[Any]:
    errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
    return errors if isinstance(errors, list) else [{"message": errors}] if errors else []


def _code(error: Node) -> str:
    return str((error.get("extensions") or {}).get("code") or "")


def _said(answer: Answer) -> str:
    return "; ".join(str(e.get("message", e) if isinstance(e, dict) else e) for e in _errors(answer)) or (
        "no reason given"
    )


def _field(error: Node) -> str | None:
    path = error.get("field") or error.get("path")
    return ".".join(map(str, path)) if isinstance(path, list) else path
