"""The content half of the sandbox answers as bol's contract says, the refusals above all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from daybook.channel.calls import Answer
from daybook_projections.bol.access import RETAILER_V10, RETAILER_V11, Access
from daybook_projections.bol.tests.desk import EAN, POLL_SECONDS, Bol, on_bol


def upload(*attributes: tuple[str, str], language: str = "nl") -> dict[str, Any]:
    return {
        "language": language,
        "attributes": [{"id": name, "values": [{"value": value, "unitId": ""}]} for name, value in attributes],
    }


KOFFER = upload(("EAN", EAN), ("Name", "Koffer"))
PICTURE: dict[str, Any] = {"url": "https://img.example/1.jpg", "labels": ["FRONT"]}


def with_access(scenario: Callable[[Bol, Access], Awaitable[None]]) -> None:
    async def run(bol: Bol) -> None:
        await scenario(bol, bol.connector._access)

    on_bol(run)


async def ask(access: Access, method: str, path: str, body: Any = None, **options: Any) -> Answer:
    return await access.call(method, path, "of the test", body=body, media_type=RETAILER_V10, **options)


async def report_of(access: Access, body: Any, kind: str = "attributes") -> dict[str, Any]:
    """Uploads, and waits for the whole report."""
    status = (await ask(access, "POST", "/retailer/content/products", body)).body
    async with asyncio.timeout(5):
        while status["status"] == "PENDING":
            assert "entityId" not in status
            await asyncio.sleep(POLL_SECONDS)
            status = (await ask(access, "GET", f"/shared/process-status/{status['processStatusId']}")).body
        path = f"/retailer/content/upload-report/{status['entityId']}"
        report: dict[str, Any] = (await ask(access, "GET", path)).body
        while report["status"] == "IN_PROGRESS":
            assert {each["status"] for each in report["attributes"]} == {"IN_PROGRESS"}
            await asyncio.sleep(POLL_SECONDS)
            report = (await ask(access, "GET", path)).body
    return {each.get("id") or each["url"]: (each["status"], each["subStatus"]) for each in report[kind]}


def test_an_upload_is_published_in_its_language_and_shown_to_buyers() -> None:
    async def scenario(bol: Bol, access: Access) -> None:
        assert await report_of(access, KOFFER) == {
            "EAN": ("PUBLISHED", "VALID_EAN"),
            "Name": ("PUBLISHED", "SELECTED"),
        }
        title = {"id": "Title", "values": [{"value": "Koffer"}]}
        french = {"Accept-Language": "fr"}
        for headers, shown in ((None, [title]), (french, [])):
            answer = await ask(access, "GET", f"/retailer/content/catalog-products/{EAN}", headers=headers)
            assert answer.body["attributes"] == shown
        assert bol.sandbox.title_of(EAN) == "Koffer"

    with_access(scenario)


def test_an_ean_with_a_wrong_check_digit_is_taken_and_declined_later() -> None:
    async def scenario(bol: Bol, access: Access) -> None:
        assert await report_of(access, upload(("EAN", "1234567890183"), ("Name", "Koffer"))) == {
            "EAN": ("DECLINED", "VALIDATION_FAILED_INVALID_EAN"),
            "Name": ("DECLINED", "MATCH_TO_PRODUCT_FAILED"),
        }
        assert bol.sandbox.published == {}

    with_access(scenario)


@pytest.mark.parametrize(
    ("name", "value", "declined"),
    [
        ("Title", "Koffer", "VALIDATION_FAILED_DOES_NOT_EXIST"),
        ("Name", "x" * 251, "VALIDATION_FAILED_INVALID_TEXT"),
        ("Name", "x" * 250, None),
        ("Description", "<div>Licht</div>", "VALIDATION_FAILED_INVALID_TEXT"),
        ("Description", "<p class='x'>Licht</p>", "VALIDATION_FAILED_INVALID_TEXT"),
        ("Description", "Fits <M and >S.", "VALIDATION_FAILED_INVALID_TEXT"),
        ("Description", "<p>Licht<br>Fits &lt;M</p>", None),
    ],
)
def test_a_text_that_bol_does_not_take_is_declined_later(name: str, value: str, declined: str | None) -> None:
    async def scenario(bol: Bol, access: Access) -> None:
        found = await report_of(access, upload(("EAN", EAN), (name, value)))
        assert found[name] == (("DECLINED", declined) if declined else ("PUBLISHED", "SELECTED"))

    with_access(scenario)


def test_pictures_are_shown_once_and_declined_by_address() -> None:
    async def scenario(bol: Bol, access: Access) -> None:
        other: dict[str, Any] = {"url": "https://img.example/2.bmp", "labels": ["OTHER"]}
        bol.sandbox.declines[other["url"]] = ("UNSUPPORTED_MIMETYPE", "Not a picture.")
        for first in (("PUBLISHED", "PUBLISHED"), ("DECLINED", "IMAGE_FLAGGED_AS_DUPLICATE")):
            found = await report_of(access, upload(("EAN", EAN)) | {"assets": [PICTURE, other]}, "assets")
            assert found == {PICTURE["url"]: first, other["url"]: ("DECLINED", "UNSUPPORTED_MIMETYPE")}
        assert bol.sandbox.pictures[EAN] == {PICTURE["url"]: ["FRONT"]}

    with_access(scenario)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("language", KOFFER | {"language": "de"}),
        ("attributes", KOFFER | {"attributes": []}),
        ("attributes", upload(("Name", "Koffer"))),
        ("attributes", upload(("EAN", EAN), ("EAN", EAN))),
        ("attributes", upload(*[(f"A{number}", "x") for number in range(151)])),
        ("attributes[1].id", upload(("EAN", EAN), ("", "x"))),
        ("attributes[1].values.value", upload(("EAN", EAN), ("Name", ""))),
        ("attributes[1].values.value", upload(("EAN", EAN), ("Name", "x" * 10_001))),
        ("attributes[0].values", KOFFER | {"attributes": [{"id": "EAN", "values": []}]}),
        ("attributes[0].values.unitId", KOFFER | {"attributes": [{"id": "EAN", "values": [{"value": EAN}]}]}),
        ("assets", KOFFER | {"assets": [PICTURE] * 31}),
        ("assets[0].url", KOFFER | {"assets": [{"labels": ["FRONT"]}]}),
        ("assets[0].labels", KOFFER | {"assets": [PICTURE | {"labels": []}]}),
        ("assets[0].labels", KOFFER | {"assets": [PICTURE | {"labels": ["FRONT", "BACK", "TOP"]}]}),
    ],
)
def test_a_wrong_upload_is_refused_with_the_field(field: str, body: dict[str, Any]) -> None:
    async def scenario(bol: Bol, access: Access) -> None:
        answer = await ask(access, "POST", "/retailer/content/products", body)
        assert answer.status == 400
        assert [each["name"] for each in answer.body["violations"]] == [field]
        assert not bol.sandbox.uploads

    with_access(scenario)


def test_what_is_not_there_is_404_and_another_version_is_406() -> None:
    async def scenario(bol: Bol, access: Access) -> None:
        for path in (
            "/shared/process-status/1",
            "/retailer/content/upload-report/1",
            f"/retailer/content/catalog-products/{EAN}",
        ):
            assert (await ask(access, "GET", path)).status == 404
            assert (await access.call("GET", path, "of the test", media_type=RETAILER_V11)).status == 406

    with_access(scenario)
