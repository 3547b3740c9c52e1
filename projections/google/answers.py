"""What Google's statuses and error bodies (google.rpc.Status) mean for a push. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from daybook.channel.calls import Answer
from daybook.channel.contract import ChannelUnavailable, Outcome, Rejected
from daybook.events import Rejection

ACCOUNT_FIELDS = frozenset({"name", "parent", "dataSource", "data_source"})
"""What a 400 may name that is the connection's fault and not the product's."""
DAY_LIMIT = "daily_limit_exceeded"
"""Of the reason `quota/daily_limit_exceeded`: https://developers.google.com/merchant/api/guides/quotas-limits."""
DAY_SECONDS = 900.0
"""Until the next look whether the day's quota is there again; Google does not say when its day ends."""

Json = Mapping[str, Any]


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
        return ChannelUnavailable(
            f"Google refuses access ({answer.status}): {said.rstrip('.')}. Check that the refresh token's user may "
            "manage the account DAYBOOK_CHANNEL_GOOGLE_ACCOUNT through the Merchant API"
        )
    if answer.status == 400 and error:
        reasons = tuple(_reasons(error)) or (Rejection(str(error.get("status", "400")), said),)
        if all(reason.field in ACCOUNT_FIELDS for reason in reasons):
            return ChannelUnavailable(
                f"Google does not take the request's address: {said.rstrip('.')}. Check "
                "DAYBOOK_CHANNEL_GOOGLE_ACCOUNT and _DATA_SOURCE"
            )
        return Rejected(reasons)
    return ChannelUnavailable(f"Google gave an unexpected answer (HTTP {answer.status}): {said}")


def retry_seconds(answer: Answer) -> float | None:
    """After a 429: what the header says, else the RetryInfo in the body; a while when the day's quota is used up."""
    told = answer.retry_after() or _retry_delay(_error(answer))
    return told or (DAY_SECONDS if DAY_LIMIT in answer.text else None)


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
