"""The content half of bol's sandbox: uploads with a process status and a report, and the catalogue that they fill.

Which values bol declines is not published in full: it declines what is impossible (an EAN with a wrong check digit),
what its data model and its pages for suppliers say (a Name over 250 characters, HTML that a description may not have),
what it has already, and whatever a test says in `declines`. The title is Name in an upload and Title in the catalogue.
"""

import itertools
import re
import time
import uuid
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.values import gtin_problem
from daybook_projections.bol.sandbox.requests import (
    RETAILER_V10,
    AccountServer,
    Refusal,
    answer,
    now,
    object_of,
    operation,
    refuse,
)
from daybook_projections.bol.sandbox.rules import content_violations

PROCESS_SECONDS = 0.03
REPORT_SECONDS = 0.06
"""After the upload, both."""
UNITS = {"mm": "unece.unit.MMT", "cm": "unece.unit.CMT", "g": "unece.unit.GRM", "kg": "unece.unit.KGM"}
"""bol takes units by one name and tells them by another."""
TOLD_AS = {"Name": "Title"}
UNKNOWN = ("Title",)
"""Attributes that an upload can't have, as far as they are likely to be tried."""
NAME_LENGTH_MAX = 250
_TAG = re.compile(r"<(?!/?(?:b|br|h3|li|ol|p|strong|ul)\s*/?>)")
"""Where markup begins that a description may not have."""


class Upload(msgspec.Struct, kw_only=True):
    """One upload on its way."""

    process_id: str
    upload_id: str
    at: float
    created: str
    body: Payload
    end: str
    fail_members: bool
    report: list[Payload] | None = None
    """Once it is through: each attribute with its status."""
    pictures: list[Payload] = []
    """The same of each asset."""


class ContentServer(AccountServer):
    """Takes uploads. `published` is the catalogue: EAN -> language -> attribute -> values, everybody's together."""

    def __init__(self, token_seconds: float) -> None:
        super().__init__(token_seconds)
        self.published: dict[str, dict[str, dict[str, list[Payload]]]] = {}
        self.pictures: dict[str, dict[str, list[str]]] = {}
        """EAN -> address -> labels."""
        self.declines: dict[str, tuple[str, str]] = {}
        """Attribute id, or a picture's address -> (code, description) with which it is declined from now on."""
        self.no_reports = False
        """Reports can't be had: they are kept for four weeks only."""
        self.upload_end = "SUCCESS"
        """How the process of uploads from now on ends: SUCCESS, FAILURE or TIMEOUT."""
        self.uploads: dict[str, Upload] = {}
        """By process status id. Forgetting one is what bol does after a day."""
        self._numbers = itertools.count(1234567)

    def content_routes(self) -> list[web.RouteDef]:
        """Of api.bol.com, in version 10."""
        return [
            web.post("/retailer/content/products", self.upload),
            web.get("/retailer/content/upload-report/{id}", self.upload_report),
            web.get("/retailer/content/catalog-products/{ean}", self.catalog_product),
            web.get("/shared/process-status/{id}", self.process_status),
        ]

    def title_of(self, ean: str) -> str | None:
        """The title under which the webshop shows a product that it knows."""
        self._settle()
        languages = self.published.get(ean, {})
        for attributes in (languages.get("nl", {}), *languages.values()):
            if "Name" in attributes:
                return str(attributes["Name"][0]["value"])
        return None

    @operation("post-product-content", RETAILER_V10)
    async def upload(self, request: web.Request) -> web.Response:
        """POST /retailer/content/products."""
        body = await object_of(request)
        refuse(content_violations(body))
        upload = Upload(
            process_id=str(next(self._numbers)),
            upload_id=str(uuid.uuid4()),
            at=time.monotonic(),
            created=now(),
            body=body,
            end=self.upload_end,
            fail_members=self.faults.fail_members,
        )
        self.uploads[upload.process_id] = upload
        return answer(self._status(upload, "PENDING"), 202, RETAILER_V10)

    @operation("get-process-status", RETAILER_V10)
    async def process_status(self, request: web.Request) -> web.Response:
        """GET /shared/process-status/{id}."""
        self._settle()
        upload = self.uploads.get(request.match_info["id"])
        if upload is None:
            raise Refusal(404, "Not Found", f"Process status with id '{request.match_info['id']}' was not found.")
        ended = upload.report is not None or self._is_over(upload, PROCESS_SECONDS)
        return answer(self._status(upload, upload.end if ended else "PENDING"), 200, RETAILER_V10)

    @operation("get-upload-report", RETAILER_V10)
    async def upload_report(self, request: web.Request) -> web.Response:
        """GET /retailer/content/upload-report/{id}."""
        self._settle()
        found = [each for each in self.uploads.values() if each.upload_id == request.match_info["id"]]
        if not found or found[0].end != "SUCCESS" or self.no_reports:
            raise Refusal(404, "Not Found", f"Upload report with id '{request.match_info['id']}' was not found.")
        upload = found[0]
        pending, waiting = (
            [each | {"status": "IN_PROGRESS", "subStatus": "RECEIVED"} for each in upload.body.get(kind) or ()]
            for kind in ("attributes", "assets")
        )
        report = {
            "uploadId": upload.upload_id,
            "language": upload.body["language"],
            "status": "IN_PROGRESS" if upload.report is None else "COMPLETED",
            "attributes": pending if upload.report is None else upload.report,
            "assets": waiting if upload.report is None else upload.pictures,
        }
        return answer(report, 200, RETAILER_V10)

    @operation("get-catalog-product", RETAILER_V10)
    async def catalog_product(self, request: web.Request) -> web.Response:
        """GET /retailer/content/catalog-products/{ean}, in the language that is asked for."""
        self._settle()
        languages = self.published.get(request.match_info["ean"])
        if languages is None:
            raise Refusal(404, "Not Found", f"Product with EAN '{request.match_info['ean']}' was not found.")
        attributes = languages.get(request.headers.get("Accept-Language", "nl"), {})
        shown = [
            {"id": TOLD_AS.get(name, name), "values": [_told(value) for value in values]}
            for name, values in attributes.items()
        ]
        product = {"published": True, "gpc": {"chunkId": "30005965"}, "attributes": shown, "parties": []}
        return answer(product, 200, RETAILER_V10)

    def _is_over(self, upload: Upload, seconds: float) -> bool:
        return not self.faults.keep_pending and time.monotonic() >= upload.at + seconds

    def _settle(self) -> None:
        """Publishes what is through, in the order in which it came."""
        for upload in self.uploads.values():
            if upload.report is None and upload.end == "SUCCESS" and self._is_over(upload, REPORT_SECONDS):
                upload.report = self._publish(upload)
                upload.pictures = self._show(upload)

    def _show(self, upload: Upload) -> list[Payload]:
        ean = _ean(upload)
        there = self.pictures.setdefault(ean, {})
        report = []
        for asset in upload.body.get("assets") or ():
            url = asset["url"]
            declined = self.declines.get(url) or (gtin_problem(ean) and ("MATCH_TO_PRODUCT_FAILED", "No such product."))
            if not declined and there.get(url) == asset["labels"]:
                declined = ("IMAGE_FLAGGED_AS_DUPLICATE", "The image is there already.")
            said: dict[str, Any] = {"status": "PUBLISHED", "subStatus": "PUBLISHED"}
            if declined:
                said = {"status": "DECLINED", "subStatus": declined[0], "subStatusDescription": declined[1]}
            else:
                there[url] = asset["labels"]
            report.append(asset | said)
        return report

    def _publish(self, upload: Upload) -> list[Payload]:
        attributes: list[Payload] = upload.body["attributes"]
        ean = _ean(upload)
        wrong = gtin_problem(ean)
        before = self.published.get(ean, {}).get(upload.body["language"], {})
        report = []
        for number, attribute in enumerate(attributes, 1):
            name = attribute["id"]
            declined = self.declines.get(name) or _invalid(attribute)
            if wrong:
                code = "VALIDATION_FAILED_INVALID_EAN" if name == "EAN" else "MATCH_TO_PRODUCT_FAILED"
                declined = (code, f"'{ean}' {wrong}")
            elif upload.fail_members and number % 2 == 0:
                declined = ("REJECTED_BY_BRAND_AUTHORITY", "The value of the brand authority is used.")
            elif name != "EAN" and before.get(name) == attribute["values"]:
                declined = ("IDENTICAL_VALUE_AS_BEFORE", "The provided value is the same as before.")
            elif declined is None and name != "EAN":
                self.published.setdefault(ean, {}).setdefault(upload.body["language"], {})[name] = attribute["values"]
            said: dict[str, Any] = {"status": "PUBLISHED", "subStatus": "VALID_EAN" if name == "EAN" else "SELECTED"}
            if declined is not None:
                said = {"status": "DECLINED", "subStatus": declined[0], "subStatusDescription": declined[1]}
            report.append(attribute | said)
        return report

    @staticmethod
    def _status(upload: Upload, status: str) -> Payload:
        href = f"https://api.bol.com/shared/process-status/{upload.process_id}"
        found: Payload = {
            "processStatusId": upload.process_id,
            "eventType": "CREATE_PRODUCT_CONTENT",
            "description": "Create content for a product.",
            "status": status,
            "createTimestamp": upload.created,
            "links": [{"rel": "self", "href": href}],
        }
        if status == "SUCCESS":
            found["entityId"] = upload.upload_id
        if status == "FAILURE":
            found["errorMessage"] = "The content can't be processed."
        return found


def _ean(upload: Upload) -> str:
    return next(str(each["values"][0]["value"]) for each in upload.body["attributes"] if each["id"] == "EAN")


def _invalid(attribute: Payload) -> tuple[str, str] | None:
    name, values = attribute["id"], [each["value"] for each in attribute["values"]]
    if name in UNKNOWN:
        return "VALIDATION_FAILED_DOES_NOT_EXIST", f"There is no attribute {name}."
    if name == "Name" and any(len(value) > NAME_LENGTH_MAX for value in values):
        return "VALIDATION_FAILED_INVALID_TEXT", f"The name has more than {NAME_LENGTH_MAX} characters."
    if name == "Description" and any(_TAG.search(value) for value in values):
        return "VALIDATION_FAILED_INVALID_TEXT", "The description has HTML that is not allowed."
    return None


def _told(value: Payload) -> Payload:
    told = {"value": value["value"]}
    return told | {"unitId": UNITS.get(value["unitId"], value["unitId"])} if value.get("unitId") else told
