"""What became of a submission, told by reading the listing back. Pure.

Amazon gives no status for a submission id, and its issues carry no time. So a submission counts as applied when the
listing *is* what was sent:

1. `attributes` hold the very values that were sent. Amazon may add members of its own (a start date, another
   audience) and other marketplaces' entries; what was sent must be among them, unchanged.
2. `offers` and `fulfillmentAvailability`, which are what buyers get, do not say otherwise. Amazon has been seen to
   show a new quantity before the new price of the same submission; until the offer agrees, the price is not confirmed.
3. `summaries` has an entry for the marketplace. After a PUT a listing without one is still being worked on; after a
   PATCH there is no listing, only the attribute that was patched.

Until the values are there, issues are not read: they may well be an earlier submission's. Once they are, an ERROR
about them is Amazon's verdict: after a PUT any ERROR, after a PATCH one that names its attribute or its kind. A mere
WARNING that takes the listing down (an enforcement that it is not exempt from) counts as one: nobody can buy it. One
exception: "missing" said of an attribute that was sent and is shown is most likely from before, and is waited out.

Two limits. An attribute that a PUT left out is not looked for, since Amazon may fill it in again from its catalogue.
And a submission that Amazon drops without a trace stays pending: ending the wait is the delivery's watchdog's business.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from daybook.channel.contract import Confirmed, Push, Rejected
from daybook.events import Rejection
from daybook_projections.amazon.listing import FACETS
from daybook_projections.amazon.writing import ATTRIBUTE_OF, listing_of, offer_of

_TAKEN_DOWN = frozenset({"LISTING_SUPPRESSED", "CATALOG_ITEM_REMOVED"})
"""Enforcements after which nobody can buy it. Left out of a search, or without an attribute, it can be bought."""
_OWN_CATEGORIES = {"price": {"INVALID_PRICE", "MISSING_PRICE"}, "stock": set[str]()}

Item = Mapping[str, Any]
Issue = Mapping[str, Any]


def outcome_of(push: Push, submission: str, item: Item, marketplace: str) -> Confirmed | Rejected | None:
    """Confirmed or Rejected, or None while it is not known yet.

    `push` must be the one that was submitted: its payload, and for a PUT its whole `listing`, are what is looked for.
    """
    summaries = _summaries(item, marketplace)
    if submission.startswith("delete/"):
        # A listing that is on its way out is still found for a while, with nothing in it.
        return None if item.get("summaries") or item.get("attributes") else Confirmed(covers=FACETS)
    whole = submission.startswith(("create/", "put/"))
    sent = _sent(push, whole)
    shown = item.get("attributes") or {}
    if not all(holds(shown.get(name), value) for name, value in sent.items()):
        return None
    errors = [issue for issue in item.get("issues", ()) if _concerns(issue, push, sent, whole, marketplace)]
    if errors and all(_is_left_over(issue, sent) for issue in errors):
        return None
    if errors:
        return Rejected(rejections(errors))
    if not summaries or _contradicted(item, sent, marketplace):
        return None
    asin = next((found["asin"] for found in summaries if found.get("asin")), None)
    covers = tuple(name for name in FACETS if name in push.listing or name == push.facet) if whole else (push.facet,)
    return Confirmed(covers=covers, remote_id=asin or push.remote_id or push.sku)


def is_listed(item: Item, marketplace: str) -> bool:
    """Whether there is a listing, and not only what a PATCH left that found none."""
    return bool(_summaries(item, marketplace))


def _summaries(item: Item, marketplace: str) -> list[Mapping[str, Any]]:
    return [found for found in item.get("summaries", ()) if found.get("marketplaceId") == marketplace]


def rejections(issues: Iterable[Issue]) -> tuple[Rejection, ...]:
    """Amazon's issues as reasons, in its own words and order."""
    return tuple(
        Rejection(
            str(issue.get("code", "")), str(issue.get("message", "")), ",".join(issue.get("attributeNames", ())) or None
        )
        for issue in issues
    )


def _sent(push: Push, whole: bool) -> dict[str, Any]:
    """Attribute -> the value that was sent; None for one that was taken off."""
    if not whole:
        return dict(push.payload) if push.payload is not None else {ATTRIBUTE_OF[push.facet]: None}
    listing = listing_of(push)
    return {**listing[FACETS[0]]["attributes"], **offer_of(listing)}


def holds(shown: Any, sent: Any) -> bool:
    """Whether what was sent is part of what is shown. None is only held by nothing."""
    match sent:
        case None:
            return not shown
        case dict():
            return isinstance(shown, dict) and all(holds(shown.get(name), value) for name, value in sent.items())
        case list():
            return isinstance(shown, list) and all(any(holds(one, value) for one in shown) for value in sent)
        case _:
            return bool(shown == sent)


def _concerns(issue: Issue, push: Push, sent: Mapping[str, Any], whole: bool, marketplace: str) -> bool:
    if not _is_verdict(issue) or marketplace not in (issue.get("marketplaceIds") or (marketplace,)):
        return False
    named = {str(name).partition(".")[0] for name in issue.get("attributeNames", ())}
    return whole or bool(named & sent.keys()) or bool(_OWN_CATEGORIES[push.facet] & {*issue.get("categories", ())})


def _is_verdict(issue: Issue) -> bool:
    enforced = issue.get("enforcements") or {}
    taken_down = any(one.get("action") in _TAKEN_DOWN for one in enforced.get("actions", ()))
    exempt = str((enforced.get("exemption") or {}).get("status", "")).startswith("EXEMPT")
    return issue.get("severity") == "ERROR" or (taken_down and not exempt)


def _is_left_over(issue: Issue, sent: Mapping[str, Any]) -> bool:
    named = {str(name).partition(".")[0] for name in issue.get("attributeNames", ())}
    return "MISSING_ATTRIBUTE" in issue.get("categories", ()) and bool(named) and named <= sent.keys()


def _contradicted(item: Item, sent: Mapping[str, Any], marketplace: str) -> bool:
    """Whether buyers get another price or quantity than was sent. What Amazon does not tell contradicts nothing."""
    for offer in sent.get("purchasable_offer") or ():
        wanted = (offer["currency"], Decimal(str(offer["our_price"][0]["schedule"][0]["value_with_tax"])))
        for shown in item.get("offers", ()):
            if shown.get("marketplaceId") == marketplace and shown.get("offerType") == "B2C":
                price = shown.get("price", {})
                if (price.get("currencyCode"), Decimal(price.get("amount", "NaN"))) != wanted:
                    return True
    for availability in sent.get("fulfillment_availability") or ():
        for shown in item.get("fulfillmentAvailability", ()):
            same = shown.get("fulfillmentChannelCode") == availability["fulfillment_channel_code"]
            if same and shown.get("quantity") != availability["quantity"]:
                return True
    return False
