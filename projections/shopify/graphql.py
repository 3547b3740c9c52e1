"""One GraphQL request to Shopify and what its answer means for a push.

Shopify answers almost everything with HTTP 200: a throttle and a refused access are in `errors`, a refused value in
the mutation's own `userErrors`.
"""

from collections.abc import Mapping
from typing import Any

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import Outcome, Rejected, Throttled, Unavailable
from daybook.events import Rejection
from projections.shopify.documents import PATH

Node = dict[str, Any]
LISTINGS_FAULT = frozenset({"INVALID_VARIABLE", "BAD_USER_INPUT"})
"""Errors of a whole request that are about the values in it. Any other is about the account, the version or Shopify."""
WAIT_SECONDS = 1.0
"""After a throttle that does not say how much is left."""


class Stopped(Exception):
    """The push ends here, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
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

    def rejected(self, otherwise: str) -> Rejected:
        """The outcome, in Shopify's words. Some mutations' errors have no code: then the mutation's name stands."""
        return Rejected(
            tuple(
                Rejection(str(error.get("code") or otherwise), str(error.get("message", "")), _field(error))
                for error in self.errors
            )
        )


class Shop:
    """One shop's Admin API."""

    def __init__(self, url: str, access_token: str) -> None:
        self._calls = Calls(url)
        self._headers = {"X-Shopify-Access-Token": access_token, "Accept": "application/json"}

    async def ask(self, document: str, name: str, variables: Mapping[str, Any]) -> Any:
        """What the document's one field `name` gives. Raises Stopped, Refusal (its userErrors) and Unanswered."""
        answer = await self._calls.request(
            "POST", PATH, body={"query": document, "variables": variables}, headers=self._headers
        )
        data = answer.body.get("data") if isinstance(answer.body, dict) else None
        trouble = answer.status != 200 or not isinstance(data, dict) or answer.body.get("errors")
        if trouble or not isinstance(data, dict):
            raise Stopped(failure(answer))
        found = data.get(name)
        errors = found.get("userErrors") if isinstance(found, dict) else None
        if errors:
            raise Refusal(errors)
        return found

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._calls.close()


def failure(answer: Answer) -> Outcome:
    """The outcome of an answer without the hoped-for data."""
    if answer.status in (401, 402, 403):
        return Unavailable(
            f"Shopify refuses access (HTTP {answer.status}): {_said(answer)}. "
            "Check DAYBOOK_CHANNEL_SHOPIFY_ACCESS_TOKEN, the scopes write_products and write_inventory, "
            "and that the shop is not frozen"
        )
    if answer.status == 423:
        return Unavailable("the shop is locked (HTTP 423): its owner has to settle that with Shopify")
    outage = answer.outage()
    if outage is not None:
        return outage
    errors = [error for error in _errors(answer) if isinstance(error, dict)]
    codes = {_code(error): str(error.get("message", "")) for error in errors}
    if "THROTTLED" in codes:
        return Throttled(wait_seconds(answer.body))
    if "ACCESS_DENIED" in codes:
        return Unavailable(
            f"Shopify refuses access: {codes['ACCESS_DENIED']}. "
            "The app needs the scopes write_products and write_inventory"
        )
    if errors and LISTINGS_FAULT.issuperset(codes):
        return Rejected(
            tuple(Rejection(_code(error), str(error.get("message", "")), _field(error)) for error in errors)
        )
    if answer.status == 404:
        return Unavailable("no Shopify Admin API answers there (HTTP 404); check DAYBOOK_CHANNEL_SHOPIFY_URL")
    return Unavailable(f"Shopify gave an unexpected answer (HTTP {answer.status}): {_said(answer)}")


def wait_seconds(body: Any) -> float:
    """Until the bucket holds what was asked for: (requested - available) / points restored in a second."""
    cost = (body.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    try:
        missing = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return max(0.0, missing / float(status["restoreRate"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return WAIT_SECONDS


def _errors(answer: Answer) -> list[Any]:
    errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
    return errors if isinstance(errors, list) else [{"message": errors}] if errors else []


def _code(error: Node) -> str:
    return str((error.get("extensions") or {}).get("code") or "")


def _said(answer: Answer) -> str:
    return "; ".join(str(e.get("message", e) if isinstance(e, dict) else e) for e in _errors(answer)) or (
        answer.text[:200] or "no reason given"
    )


def _field(error: Node) -> str | None:
    path = error.get("field") or error.get("path")
    return ".".join(map(str, path)) if isinstance(path, list) else path
