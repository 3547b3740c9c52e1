"""sendcloud keeps the contract of every work, which finds one that does not."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from daybook.channel.contract import Confirmed, Manifest, Outcome, Push
from daybook.channel.testing import History, check_work
from daybook_projections.sendcloud import manifest
from daybook_projections.sendcloud.api import Api
from daybook_projections.sendcloud.connector import SendcloudConnector
from projections.sendcloud.tests.desk import ADA, CONFIGURED, PERSON, paid, placed

HISTORY = History().happened(CONFIGURED, placed(2, 1), paid(3000), placed(1, order="webshop:1002"), paid(1000))
PEOPLE = {PERSON: ADA}


def test_sendcloud_keeps_the_contract_of_every_work() -> None:
    check_work(manifest, HISTORY, PEOPLE)


def with_connector(wrong: type[SendcloudConnector]) -> Manifest:
    def made(settings: Mapping[str, str]) -> SendcloudConnector:
        return wrong(Api(settings["url"], settings["public_key"], settings["secret_key"]), 0.05)

    return replace(manifest, connector=made)


class _Forgetful(SendcloudConnector):
    """Names each try by another reference."""

    async def push(self, push: Push) -> Outcome:
        return await super().push(replace(push, sku=push.sku, facet=f"{push.facet}{push.position}"))


class _Talkative(SendcloudConnector):
    """Finds out where the customer lives."""

    async def push(self, push: Push) -> Outcome:
        outcome = await super().push(push)
        if not isinstance(outcome, Confirmed) or not outcome.findings:
            return outcome
        return replace(outcome, findings=(replace(outcome.findings[0], carrier="to 1011 AB"),))


@pytest.mark.parametrize(("wrong", "why"), [(_Forgetful, "something else|two parcels"), (_Talkative, "tells what")])
def test_the_contract_finds_a_work_that_breaks_it(wrong: type[SendcloudConnector], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        check_work(with_connector(wrong), HISTORY, PEOPLE)
