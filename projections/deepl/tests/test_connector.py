"""DeepL's answers, good and bad, and what becomes of them."""

from collections.abc import AsyncIterator

import pytest

from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Rejected, Throttled
from daybook.errors import BadConfiguration
from daybook.events import TextDrafted
from daybook_projections.deepl.connector import DeepLConnector, connector
from daybook_projections.deepl.sandbox.server import DeepLSandbox
from projections.deepl.tests.texts import push, work


@pytest.fixture
async def sandbox() -> AsyncIterator[DeepLSandbox]:
    made = DeepLSandbox()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def speaks(sandbox: DeepLSandbox) -> AsyncIterator[DeepLConnector]:
    made = connector(sandbox.settings())
    yield made
    await made.close()


def draft(outcome: Outcome) -> TextDrafted:
    assert isinstance(outcome, Confirmed), outcome
    (found,) = outcome.findings
    assert isinstance(found, TextDrafted)
    return found


async def test_a_text_becomes_a_draft_that_tells_where_from_and_what_it_cost(speaks: DeepLConnector) -> None:
    found = draft(await speaks.push(push(work("Voor {0} & meer", settings={"formality": "more"}))))
    assert (found.draft, found.problem) == ("[DE] Voor {0} & meer", None)
    assert (found.engine, found.sku, found.attribute, found.locale) == ("deepl", "A", "name", "de-DE")
    assert found.settings == {"formality": "more"} and found.characters == len("Voor <x>{0}</x> &amp; meer")


async def test_texts_of_one_pair_share_a_request_and_each_has_its_own(
    sandbox: DeepLSandbox, speaks: DeepLConnector
) -> None:
    pushes = [push(work(f"Tas {number}"), sku=f"S{number}") for number in range(50)]
    assert len({speaks.gathers(one) for one in pushes}) == 1
    assert speaks.gathers(push(work(to="FR"))) != speaks.gathers(pushes[0])
    found = [draft(one) for one in await speaks.push_all(pushes)]
    assert [one.draft for one in found] == [f"[DE] Tas {number}" for number in range(50)]
    assert [one.sku for one in found] == [f"S{number}" for number in range(50)]
    assert len(sandbox.received) == 1


async def test_what_is_not_wanted_any_more_or_known_costs_nothing(
    sandbox: DeepLSandbox, speaks: DeepLConnector
) -> None:
    assert await speaks.push(push(None)) == Confirmed()
    assert await speaks.push(push({"known": "1"})) == Confirmed()
    assert not sandbox.received


async def test_a_lost_placeholder_is_a_draft_for_a_person(sandbox: DeepLSandbox, speaks: DeepLConnector) -> None:
    sandbox.lose_tags_next = 1
    assert draft(await speaks.push(push(work("Voor {0}")))).problem == "placeholder_lost: {0}"


async def test_a_glossary_is_used_and_one_that_is_gone_is_a_refusal(
    sandbox: DeepLSandbox, speaks: DeepLConnector
) -> None:
    sandbox.glossaries["g-1"] = {("NL", "DE"): {"Rugzak": "Tornister"}}
    assert draft(await speaks.push(push(work(settings={"glossary": "g-1"})))).draft == "[DE] Tornister"
    outcome = await speaks.push(push(work(settings={"glossary": "g-2"})))
    assert isinstance(outcome, Rejected) and outcome.reasons[0].message == "Glossary not found"


async def test_a_used_up_quota_parks_the_engine_for_an_hour(sandbox: DeepLSandbox, speaks: DeepLConnector) -> None:
    sandbox.limit = 3
    outcome = await speaks.push(push(work()))
    assert isinstance(outcome, ChannelUnavailable) and outcome.retry_after_seconds == 3600
    assert "used up" in outcome.reason and sandbox.used == 0


async def test_a_budget_is_kept_before_anything_is_sent(sandbox: DeepLSandbox) -> None:
    speaks = connector(sandbox.settings() | {"characters_max": "10"})
    assert draft(await speaks.push(push(work())))
    outcome = await speaks.push(push(work("Tas!!")))
    assert isinstance(outcome, ChannelUnavailable)
    assert outcome.reason == ("the budget is reached: 6 of the 10 characters of this period are used, 5 more wait")
    assert [one.path for one in sandbox.received] == ["/v2/usage", "/v2/translate"]
    await speaks.close()


async def test_bad_answers_are_tried_again_and_paid_for_no_more_than_twice(
    sandbox: DeepLSandbox, speaks: DeepLConnector
) -> None:
    pushes = [push(work(text)) for text in ("Een", "Twee")]
    sandbox.short_next = 1
    outcomes = await speaks.push_all(pushes)
    assert all(isinstance(one, ChannelUnavailable) for one in outcomes)
    assert speaks.gathers(push(work("Een"), attempt=2)) is None
    sandbox.short_next = 1
    assert isinstance(await speaks.push(push(work("Een"), attempt=2)), Rejected)
    sandbox.garbage_next = 1
    assert isinstance(await speaks.push(push(work("Drie"), attempt=2)), Rejected)
    sandbox.busy_next = 1
    assert isinstance(await speaks.push(push(work("Een"))), ChannelUnavailable)
    sandbox.faults.throttle_next = 1
    assert isinstance(await speaks.push(push(work("Een"))), Throttled)


async def test_one_refused_text_of_many_does_not_take_the_others_with_it(
    sandbox: DeepLSandbox, speaks: DeepLConnector
) -> None:
    pushes = [push(work(text, to="XX")) for text in ("Een", "Twee")]
    assert all(isinstance(one, ChannelUnavailable) for one in await speaks.push_all(pushes))
    outcome = await speaks.push(pushes[0])
    assert isinstance(outcome, Rejected) and "target_lang" in outcome.reasons[0].message


async def test_a_revoked_key_says_what_to_check(sandbox: DeepLSandbox) -> None:
    speaks = connector(sandbox.settings() | {"key": "wrong"})
    outcome = await speaks.push(push(work()))
    assert isinstance(outcome, ChannelUnavailable) and "DAYBOOK_CHANNEL_DEEPL_KEY" in outcome.reason
    await speaks.close()


@pytest.mark.parametrize(
    "given",
    [
        {"url": "https://api.deepl.com", "key": "a:fx"},
        {"url": "https://api-free.deepl.com", "key": "a"},
        {"url": "https://api.deepl.com", "key": "a", "characters_max": "many"},
    ],
)
def test_settings_that_can_t_work_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(BadConfiguration):
        connector(given)
