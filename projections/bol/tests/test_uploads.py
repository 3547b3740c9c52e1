"""Content against the sandbox: taken at once, published or declined later."""

from uuid import uuid4

import pytest

from daybook.channel.contract import Accepted, ChannelUnavailable, Confirmed, Outcome, Payload, Rejected, Waiting
from daybook.channel.sandbox import Faults
from daybook.events import Rejection
from daybook_projections.bol.tests.desk import EAN, Bol, listing, on_bol

TEXTS = listing(description="Licht en sterk.")


async def uploaded(bol: Bol, wanted: Payload = TEXTS) -> Outcome:
    """The offer is there, and its content was pushed."""
    if bol.remote_id is None:
        await bol.push("offer", wanted)
    return await bol.push("content", wanted)


async def ended(bol: Bol, wanted: Payload = TEXTS) -> Outcome:
    return await bol.followed(wanted, await uploaded(bol, wanted))


def test_content_is_accepted_then_followed_by_its_process_and_its_report() -> None:
    async def scenario(bol: Bol) -> None:
        outcome = await uploaded(bol)
        (process,) = bol.sandbox.uploads
        assert outcome == Accepted(submission=f"process/{process}", remote_id=bol.remote_id)
        bol.sandbox.faults.keep_pending = True
        push = bol.described("content", TEXTS)
        assert await bol.connector.confirm(push, f"process/{process}") == outcome
        bol.sandbox.faults.keep_pending = False
        upload = f"upload/{bol.sandbox.uploads[process].upload_id}"
        submissions = {f"process/{process}"}
        while isinstance(outcome, Accepted):
            submissions.add(outcome.submission)
            outcome = await bol.connector.confirm(push, outcome.submission)
        assert outcome == Confirmed(remote_id=bol.remote_id)
        assert submissions == {f"process/{process}", upload}
        assert bol.sandbox.published[EAN]["nl"] == {
            "Name": [{"value": "Koffer", "unitId": ""}],
            "Description": [{"value": "Licht en sterk.", "unitId": ""}],
        }

    on_bol(scenario)


def test_a_report_that_is_not_complete_or_not_there_yet_is_asked_for_again() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.faults.keep_pending = True
        await uploaded(bol)
        (upload,) = bol.sandbox.uploads.values()
        for found in (upload.upload_id, "4f6f0d0a-0000-4000-8000-000000000000"):
            outcome = await bol.connector.confirm(bol.described("content", TEXTS), f"upload/{found}")
            assert outcome == Accepted(submission=f"upload/{found}", remote_id=bol.remote_id)

    on_bol(scenario)


def test_what_bol_declines_is_told_by_attribute_and_the_rest_is_published() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.declines["Description"] = ("VALIDATION_FAILED_INVALID_TEXT", "The text has a link.")
        reason = Rejection("VALIDATION_FAILED_INVALID_TEXT", "The text has a link.", "Description")
        assert await ended(bol) == Rejected((reason,))
        assert list(bol.sandbox.published[EAN]["nl"]) == ["Name"]

    on_bol(scenario)


def test_a_picture_that_bol_declines_is_told_by_its_address_and_one_that_it_has_is_none() -> None:
    urls = ("https://img.example/1.jpg", "https://img.example/2.webp")
    wanted = TEXTS | {"content": TEXTS["content"] | {"assets": [{"url": url, "labels": ["OTHER"]} for url in urls]}}

    async def scenario(bol: Bol) -> None:
        bol.sandbox.declines[urls[1]] = ("UNSUPPORTED_MIMETYPE", "Not a picture.")
        for _ in range(2):
            assert await ended(bol, wanted) == Rejected((Rejection("UNSUPPORTED_MIMETYPE", "Not a picture.", urls[1]),))
        bol.sandbox.declines.clear()
        for _ in range(2):
            assert await ended(bol, wanted) == Confirmed(remote_id=bol.remote_id)

    on_bol(scenario)


def test_without_a_report_the_catalogue_tells_whether_the_texts_are_there() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.no_reports = True
        upload = f"upload/{uuid4()}"
        push = bol.described("content", TEXTS)
        await bol.push("offer", TEXTS)
        assert isinstance(await bol.connector.confirm(push, upload), Accepted), "bol knows no such product"
        bol.sandbox.published[EAN] = {"nl": {"Name": [{"value": "Koffer", "unitId": ""}]}}
        assert isinstance(await bol.connector.confirm(push, upload), Accepted), "there is no description yet"
        bol.sandbox.published[EAN]["nl"]["Description"] = [{"value": "<p>Licht en  sterk.</p>", "unitId": ""}]
        assert isinstance(await bol.connector.confirm(push, upload), Confirmed)

    on_bol(scenario)


def test_every_second_attribute_declined_is_a_rejection_with_those() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.faults = Faults(fail_members=True)
        outcome = await ended(bol)
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [("REJECTED_BY_BRAND_AUTHORITY", "Name")]

    on_bol(scenario)


def test_the_same_content_again_is_declined_by_bol_and_confirmed_all_the_same() -> None:
    async def scenario(bol: Bol) -> None:
        for _ in range(2):
            assert await ended(bol) == Confirmed(remote_id=bol.remote_id)
        report = list(bol.sandbox.uploads.values())[-1].report
        assert report is not None
        assert [each["status"] for each in report] == ["PUBLISHED", "DECLINED", "DECLINED"]

    on_bol(scenario)


def test_a_process_that_fails_is_rejected_in_bols_words() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.upload_end = "FAILURE"
        assert await ended(bol) == Rejected((Rejection("FAILURE", "The content can't be processed."),))

    on_bol(scenario)


@pytest.mark.parametrize("forgotten", [False, True])
def test_an_upload_that_bol_gave_up_or_forgot_is_sent_anew(forgotten: bool) -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.upload_end = "SUCCESS" if forgotten else "TIMEOUT"
        first = await uploaded(bol)
        if forgotten:
            bol.sandbox.uploads.clear()
        bol.sandbox.upload_end = "SUCCESS"
        assert await bol.followed(TEXTS, first) == Confirmed(remote_id=bol.remote_id)
        assert [each.method for each in bol.sandbox.received if each.path == "/retailer/content/products"] == 2 * [
            "POST"
        ]

    on_bol(scenario)


def test_an_upload_whose_answer_was_lost_is_sent_again() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", TEXTS)
        bol.sandbox.faults.drop_answer_next = 1
        assert isinstance(await bol.push("content", TEXTS), ChannelUnavailable)
        outcome = await bol.push("content", TEXTS, attempt=2)
        assert await bol.followed(TEXTS, outcome) == Confirmed(remote_id=bol.remote_id)

    on_bol(scenario)


def test_an_outage_while_an_upload_is_under_way_says_nothing_about_it() -> None:
    async def scenario(bol: Bol) -> None:
        first = await uploaded(bol)
        assert isinstance(first, Accepted)
        for faults in (Faults(outage=True), Faults(html_503=True)):
            bol.sandbox.faults = faults
            outcome = await bol.connector.confirm(bol.described("content", TEXTS), first.submission)
            assert isinstance(outcome, ChannelUnavailable)
        bol.sandbox.faults = Faults(expire_tokens=True)
        assert isinstance(await bol.followed(TEXTS, first), Confirmed)

    on_bol(scenario)


def test_a_refused_upload_is_a_rejection_that_names_the_field() -> None:
    async def scenario(bol: Bol) -> None:
        empty = TEXTS | {"content": {"language": "nl", "attributes": []}}
        outcome = await uploaded(bol, empty)
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [("400", "attributes")]

    on_bol(scenario)


def test_content_waits_for_its_offer_and_can_not_be_taken_back() -> None:
    async def scenario(bol: Bol) -> None:
        assert isinstance(await bol.push("content", TEXTS), Waiting)
        await bol.bring(TEXTS)
        requests = len(bol.sandbox.received)
        assert await bol.push("content", None) == Confirmed(remote_id=bol.remote_id)
        assert len(bol.sandbox.received) == requests

    on_bol(scenario)
