"""A product's texts and pictures at bol, through the content API v10, which takes an upload and answers later.

An upload has two ends to wait for. Its process status says whether it became an upload at all, and under which id. The
upload's report then says of each attribute and picture whether bol publishes it; some may be declined and the others
published. A report that can't be had says nothing: then the catalogue tells whether the texts are there.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from daybook.channel.contract import Accepted, Confirmed, Outcome, Payload, Push, Rejected
from daybook.channel.markup import words
from daybook.events import Rejection
from daybook_projections.bol.access import RETAILER_V10, Access, body_of
from daybook_projections.bol.content import EAN, NAME

PROCESS, UPLOAD = "process", "upload"
"""What the id in a submission is the id of: first the one, then the other."""
CHECK_SECONDS = 1.0
AS_GOOD_AS_PUBLISHED = ("IDENTICAL_VALUE_AS_BEFORE", "NOT_CHANGED")
"""Declined because bol has this very value already."""
AS_GOOD_AS_SHOWN = ("IMAGE_FLAGGED_AS_DUPLICATE", "LABEL_UPDATED")
"""The same of a picture."""
SHOWN_AS = {NAME: "Title"}
"""Attributes that the catalogue calls otherwise than an upload does."""


class Uploads:
    """Uploads content and learns what became of it. Raises Failed and Unanswered."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def upload(self, push: Push, payload: Payload) -> Outcome:
        """Sends it. The same content again does no harm, so a lost answer needs no look-up."""
        answer = await self._access.call(
            "POST", "/retailer/content/products", "post-product-content", body=payload, media_type=RETAILER_V10
        )
        status = body_of(answer, 202)
        return _accepted(push, PROCESS, str(status.get("processStatusId", "")))

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Where the upload stands: one look at whichever of its two ends is next."""
        kind, _, found = submission.partition("/")
        return await (self._report(push, found) if kind == UPLOAD else self._process(push, found))

    async def published(self, payload: Payload) -> Payload | None:
        """The content that bol shows for a payload's EAN, in the payload's words; None when bol knows no such product.

        Attributes that bol does not give back count as shown: it has ids that it takes and never tells.
        """
        shown = await self._catalogue(payload)
        if shown is None:
            return None
        attributes = [
            each | {"values": _as_sent(shown.get(_shown_as(each), each["values"]), each["values"])}
            for each in payload["attributes"]
        ]
        return payload | {"attributes": attributes}

    async def _has_all(self, payload: Payload) -> bool:
        """Whether the catalogue tells every text of the upload as it was sent. Pictures it does not tell."""
        texts = [each for each in payload["attributes"] if each["id"] != EAN]
        shown = await self._catalogue(payload) or {}
        return bool(texts) and all(
            _as_sent(shown.get(_shown_as(each), []), each["values"]) == each["values"] for each in texts
        )

    async def _catalogue(self, payload: Payload) -> Mapping[str, list[Payload]] | None:
        """Attribute -> values, as bol shows the payload's EAN in its language."""
        ean = next(each["values"][0]["value"] for each in payload["attributes"] if each["id"] == EAN)
        answer = await self._access.call(
            "GET",
            f"/retailer/content/catalog-products/{quote(ean, safe='')}",
            "get-catalog-product",
            headers={"Accept-Language": payload["language"]},
            media_type=RETAILER_V10,
        )
        if answer.status == 404:
            return None
        return {str(each.get("id")): each.get("values", []) for each in body_of(answer).get("attributes", ())}

    async def _process(self, push: Push, found: str) -> Outcome:
        path = f"/shared/process-status/{quote(found, safe='')}"
        answer = await self._access.call("GET", path, "get-process-status", media_type=RETAILER_V10)
        status = {"status": "TIMEOUT"} if answer.status == 404 else body_of(answer)
        match status.get("status"):
            case "SUCCESS" if status.get("entityId"):
                return _accepted(push, UPLOAD, str(status["entityId"]))
            case "FAILURE":
                said = status.get("errorMessage") or status.get("description") or "no reason given"
                return Rejected((Rejection("FAILURE", str(said)),))
            case "TIMEOUT" if push.payload is not None:
                # bol gave the upload up, or has forgotten its status (404), so that nobody will ever know.
                return await self.upload(push, push.payload)
            case _:
                return _accepted(push, PROCESS, found)

    async def _report(self, push: Push, found: str) -> Outcome:
        path = f"/retailer/content/upload-report/{quote(found, safe='')}"
        answer = await self._access.call("GET", path, "get-upload-report", media_type=RETAILER_V10)
        if answer.status == 404:  # not written yet, or gone after its four weeks
            there = push.payload is not None and await self._has_all(push.payload)
            return Confirmed(remote_id=push.remote_id) if there else _accepted(push, UPLOAD, found)
        report = body_of(answer)
        if report.get("status") != "COMPLETED":
            return _accepted(push, UPLOAD, found)
        declined = tuple(
            _reason(each, name)
            for kind, name, as_good in (("attributes", "id", AS_GOOD_AS_PUBLISHED), ("assets", "url", AS_GOOD_AS_SHOWN))
            for each in report.get(kind) or ()
            if each.get("status") == "DECLINED" and each.get("subStatus") not in as_good
        )
        return Rejected(declined) if declined else Confirmed(remote_id=push.remote_id)


def _accepted(push: Push, kind: str, found: str) -> Accepted:
    return Accepted(submission=f"{kind}/{found}", remote_id=push.remote_id, check_after_seconds=CHECK_SECONDS)


def _shown_as(attribute: Mapping[str, Any]) -> str:
    name = str(attribute["id"])
    return SHOWN_AS.get(name, name)


def _reason(declined: Mapping[str, Any], name: str) -> Rejection:
    code, what = str(declined.get("subStatus") or "DECLINED"), str(declined.get(name))
    return Rejection(code, str(declined.get("subStatusDescription") or f"bol declined {what}"), what)


def _as_sent(shown: list[Payload], sent: list[Payload]) -> list[Payload]:
    """Shown values in the sent order and words, with the units that were sent: bol tells units by other names than it
    takes, and may set HTML otherwise."""
    left = {words(str(each.get("value"))) for each in shown}
    if len(left) != len(sent) or any(words(each["value"]) not in left for each in sent):
        return [{"value": each["value"], "unitId": each.get("unitId", "")} for each in shown if "value" in each]
    return sent
