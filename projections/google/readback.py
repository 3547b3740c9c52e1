"""What became of an insert, told by the processed product and by Google's errors, and what a product shows now. Pure.

An insert that was answered 200 is stored, not shown: Google makes the processed product from it within minutes, and
says then what it thinks of it. That product carries the `versionNumber` of the insert that it shows, so the number, and
not the values, tells whether ours is there: feed rules and supplemental sources may change any value.

- A lower number, or no status yet: ours is still under way.
- Ours: refused when an issue disapproves it and only a person can mend that, else confirmed. Google may look closer
  for days (`PENDING_PROCESSING`, countries that are pending); the next price can't wait for that, and a product that is
  disapproved later is found out at its next change only.
- A higher one: something newer is there. When it holds the very values that we brought, all is well. Else ours is
  overtaken: refused as `ABORTED`, and never forced, since to force it is what the number is there to prevent.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from daybook.channel.calls import Answer
from daybook.channel.contract import Confirmed, Outcome, Payload, Rejected, Unavailable
from daybook.events import Rejection
from projections.google.terms import FACETS

ACCOUNT_FIELDS = frozenset({"name", "parent", "dataSource", "data_source"})
"""What a 400 may name that is the connection's fault and not the product's."""

OURS = frozenset(
    {
        *("title", "description", "link", "imageLink", "additionalImageLinks", "availability", "condition", "price"),
        *("brand", "gtins", "mpn", "itemGroupId", "color", "size", "material", "pattern", "productTypes"),
    }
)
"""Attributes that only the book fills, so that one which is shown and was not brought is somebody's edit.

Not among them: `googleProductCategory` and `identifierExists`, which Google settles by itself when we do not.
"""
GTIN_LENGTH = 14
DAY_LIMIT = "daily_limit_exceeded"
"""Of the reason `quota/daily_limit_exceeded`: https://developers.google.com/merchant/api/guides/quotas-limits."""
DAY_SECONDS = 900.0
"""Until the next look whether the day's quota is there again; Google does not say when its day ends."""

Json = Mapping[str, Any]


def verdict(product: Json, version: int, wanted: Json, remote_id: str) -> Outcome | None:
    """Confirmed or Rejected, or None while it is under way. `wanted` are the attributes that were inserted."""
    shown = _integer(product.get("versionNumber"))
    status = product.get("productStatus")
    if shown < version or not isinstance(status, dict):
        return None
    if shown > version and not _holds(product.get("productAttributes"), wanted):
        return Rejected(
            (
                Rejection(
                    "ABORTED",
                    f"Google shows version {shown} with other values, and refuses our older version {version}. It was "
                    "sent from a newer state of this book, or by somebody else; the next change brings ours up to date",
                    "versionNumber",
                ),
            )
        )
    refused = tuple(
        Rejection(str(issue.get("code", "")), _wording(issue), issue.get("attribute"))
        for issue in status.get("itemLevelIssues", ())
        if str(issue.get("severity", "")).upper() == "DISAPPROVED"
        and str(issue.get("resolution", "")).upper() != "PENDING_PROCESSING"
    )
    if refused:
        return Rejected(tuple(dict.fromkeys(refused)))  # the same one comes once for each reporting context
    return Confirmed(covers=FACETS, remote_id=remote_id)


def is_stale(answer: Answer) -> bool:
    """Whether Google refused the insert because it has a higher version number."""
    return answer.status == 409 or _error(answer).get("status") == "ABORTED"


def failure(answer: Answer) -> Outcome:
    """The outcome of an answer that is not the hoped-for one."""
    error = _error(answer)
    if answer.status == 429:
        return answer.throttle(retry_seconds(answer))
    outage = answer.outage()
    if outage is not None:
        return outage
    said = str(error.get("message") or "no reason given")
    if answer.status in (401, 403):
        return Unavailable(
            f"Google refuses access ({answer.status}): {said.rstrip('.')}. Check that the refresh token's user may "
            "manage the account DAYBOOK_CHANNEL_GOOGLE_ACCOUNT through the Merchant API"
        )
    if answer.status == 400 and error:
        reasons = tuple(_reasons(error)) or (Rejection(str(error.get("status", "400")), said),)
        if all(reason.field in ACCOUNT_FIELDS for reason in reasons):
            return Unavailable(
                f"Google does not take the request's address: {said.rstrip('.')}. Check "
                "DAYBOOK_CHANNEL_GOOGLE_ACCOUNT and _DATA_SOURCE"
            )
        return Rejected(reasons)
    return Unavailable(f"Google gave an unexpected answer (HTTP {answer.status}): {said}")


def retry_seconds(answer: Answer) -> float | None:
    """After a 429: what the header says, else the RetryInfo in the body; a while when the day's quota is used up."""
    told = answer.retry_after() or _retry_delay(_error(answer))
    return told or (DAY_SECONDS if DAY_LIMIT in answer.text else None)


def as_pushed(product: Json, wanted: Json) -> Payload:
    """The processed product as the payload that would have brought it. `wanted` is the payload that did.

    A value that says the same in other words (spaces, the width of a number, upper and lower case) is given in ours.
    """
    brought = wanted.get("productAttributes") or {}
    shown = product.get("productAttributes") or {}
    attributes = {
        name: brought[name] if name in brought and _plain(name, value) == _plain(name, brought[name]) else value
        for name, value in shown.items()
        if name in brought or name in OURS
    }
    names = ("offerId", "contentLanguage", "feedLabel")
    return {name: product[name] for name in names if name in product} | {"productAttributes": attributes}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, str):
        text = " ".join(value.split())
        return text.upper() if name in ("availability", "condition") else text
    if name == "price" and isinstance(value, dict):
        return _integer(value.get("amountMicros")), value.get("currencyCode")
    if isinstance(value, list):
        return [_plain(name, each).zfill(GTIN_LENGTH) if name == "gtins" else _plain(name, each) for each in value]
    return value


def _reasons(error: Json) -> Iterator[Rejection]:
    """From the error's details: an ErrorInfo for what the Merchant API checks, a BadRequest for what is no product."""
    message = str(error.get("message", ""))
    for detail in _details(error):
        kind = str(detail.get("@type", "")).rpartition(".")[2]
        if kind == "ErrorInfo":
            known = detail.get("metadata") or {}
            code = known.get("REASON") or detail.get("reason") or error.get("status")
            yield Rejection(str(code), message, known.get("FIELD_LOCATION"))
        elif kind == "BadRequest":
            for violation in detail.get("fieldViolations", ()):
                said = str(violation.get("description", message))
                yield Rejection(str(error.get("status", "400")), said, violation.get("field"))


def _retry_delay(error: Json) -> float | None:
    for detail in _details(error):
        seconds = str(detail.get("retryDelay", "")).removesuffix("s")
        if seconds.replace(".", "", 1).isdigit():
            return float(seconds)
    return None


def _details(error: Json) -> Iterator[Json]:
    return (detail for detail in error.get("details") or () if isinstance(detail, dict))


def _error(answer: Answer) -> Json:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return error if isinstance(error, dict) else {}


def _wording(issue: Json) -> str:
    parts = (str(issue.get(name) or "").strip().rstrip(".") for name in ("description", "detail"))
    return ". ".join(filter(None, parts)) or "no reason given"


def _integer(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0


def _holds(shown: object, wanted: Json) -> bool:
    return isinstance(shown, dict) and all(shown.get(name) == value for name, value in wanted.items())
