"""What became of an insert, told by the processed product. Pure.

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

from collections.abc import Mapping
from typing import Any

from daybook.channel.contract import Confirmed, Outcome, Rejected
from daybook.events import Rejection
from daybook_projections.google.readback import integer
from daybook_projections.google.terms import FACETS

Json = Mapping[str, Any]


def verdict(product: Json, version: int, wanted: Json, remote_id: str) -> Outcome | None:
    """Confirmed or Rejected, or None while it is under way. `wanted` are the attributes that were inserted."""
    shown = integer(product.get("versionNumber"))
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


def _wording(issue: Json) -> str:
    parts = (str(issue.get(name) or "").strip().rstrip(".") for name in ("description", "detail"))
    return ". ".join(filter(None, parts)) or "no reason given"


def _holds(shown: object, wanted: Json) -> bool:
    return isinstance(shown, dict) and all(shown.get(name) == value for name, value in wanted.items())
