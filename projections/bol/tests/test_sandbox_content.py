"""The content half of the sandbox answers as bol's contract says, the refusals above all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from daybook.channel.calls import Answer
from projections.bol.access import RETAILER_V10, RETAILER_V11, Access
from projections.bol.tests.desk import EAN, POLL_SECONDS, Bol, on_bol


def upload(*attributes: tuple[str, str], language: str = "nl") -> dict[str, Any]:
    return {
        "language": language,
        "attributes": [{"id": name, "values": [{"value": value}]} for name, value in attributes],
    }


KOFFER = upload(("EAN", EAN), ("Title", "Koffer"))


def with_access(scenario: Callable[[Bol, Access], Awaitable[None]]) -> None:
    async def run(bol: Bol) -> None:
        await scenario(bol, bol.connector._access)

    on_bol(run)


async def ask(access: Access, method: str, path: str, body: Any = None, **options: Any) -> Answer:
    return await access.call(method, path, "of the test", body=body, media_type=RETAILER_V10, **options)


async def report_of(access: Access, body: Any) -> dict[str, Any]:
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
    return {each["id"]: (each["status"], each["subStatus"]) for each in report["attributes"]}


def test_an_upload_is_published_in_its_language_and_shown_to_buyers() -> None:
    async def scenario(bol: Bol, access: Access) -> None:
        assert await report_of(access, KOFFER) == {
            "EAN": ("PUBLISHED", "VALID_EAN"),
            "Title": ("PUBLISHED", "SELECTED"),
        }
        french = {"Accept-Language": "fr"}
        for headers, shown in ((None, KOFFER["attributes"][1:]), (french, [])):
            answer = await ask(access, "GET", f"/retailer/content/catalog-products/{EAN}", headers=headers)
            assert answer.body["attributes"] == shown
        assert bol.sandbox.title_of(EAN) == "Koffer"

    with_access(scenario)


def test_an_ean_with_a_wrong_check_digit_is_taken_and_declined_later() -> None:
    async def scenario(bol: Bol, access: Access) -> None:
        assert await report_of(access, upload(("EAN", "1234567890183"), ("Title", "Koffer"))) == {
            "EAN": ("DECLINED", "VALIDATION_FAILED_INVALID_EAN"),
            "Title": ("DECLINED", "MATCH_TO_PRODUCT_FAILED"),
        }
        assert bol.sandbox.published == {}

    with_access(scenario)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("language", KOFFER | {"language": "de"}),
        ("attributes", KOFFER | {"attributes": []}),
        ("attributes", upload(("Title", "Koffer"))),
        ("attributes", upload(("EAN", EAN), ("EAN", EAN))),
        ("attributes", upload(*[(f"A{number}", "x") for number in range(151)])),
        ("attributes[1].id", upload(("EAN", EAN), ("", "x"))),
        ("attributes[1].values.value", upload(("EAN", EAN), ("Title", ""))),
        ("attributes[1].values.value", upload(("EAN", EAN), ("Title", "x" * 10_001))),
        ("attributes[0].values", KOFFER | {"attributes": [{"id": "EAN", "values": []}]}),
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
