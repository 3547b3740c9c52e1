"""Has DeepL translate texts, up to fifty of one pair of languages in a request, each a finding of its own.

DeepL knows no idempotency key: a text whose answer was lost is paid for twice, at most. What was written down is never
asked for again, as the work is known by its inputs.

Hazard: an answer with fewer translations than texts does not say which are missing. Each of them is then asked for
alone: a text that comes alone is refused when its answer is wrong, so that nothing is paid for without an end.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from daybook.channel.calls import Answer, Unanswered
from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Payload, Push, Rejected, Setting
from daybook.errors import BadConfiguration
from daybook.events import Rejection, TextDrafted
from daybook.product.state import slot_parts
from daybook_projections.deepl.api import Api, failure, translations
from daybook_projections.deepl.budget import Budget
from daybook_projections.deepl.mapping import NAME
from daybook_projections.deepl.marks import Marked, marked, problem, unmarked

BODY_BYTES_MAX = 120_000
"""Of a request's texts; DeepL takes 131,072 in all."""
FREE = "api-free.deepl.com"


class DeepLConnector:
    """One account."""

    def __init__(self, api: Api, characters_max: int | None) -> None:
        self._api = api
        self._budget = Budget(api, characters_max)
        self.pace = api.pace

    async def push(self, push: Push) -> Outcome:
        """Translates one text; what is not wanted any more costs nothing."""
        if push.payload is None or "known" in push.payload:
            return Confirmed()
        (outcome,) = await self._translated([push])
        return outcome

    def gathers(self, push: Push) -> str | None:
        """Texts of one pair of languages and of the same settings go together; one whose try failed goes alone."""
        payload = push.payload
        if payload is None or "known" in payload or push.attempt > 1:
            return None
        same = {name: value for name, value in payload["settings"].items() if name != "keep"}
        handling = marked(payload["text"], payload["settings"].get("keep", ())).handling
        together = (payload["from"], payload["to"], handling, same, len(payload["text"].encode()) > BODY_BYTES_MAX / 50)
        return None if together[-1] else msgspec.json.encode(together, order="sorted").decode()

    async def push_all(self, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """Translates texts in one request."""
        return await self._translated(pushes)

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never called: an answer is the end of it."""
        return ChannelUnavailable(f"{NAME} gives no submissions, yet {submission} is asked for")

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._api.close()

    async def _translated(self, pushes: Sequence[Push]) -> list[Outcome]:
        works = [push.payload or {} for push in pushes]
        sent = [marked(one["text"], one["settings"].get("keep", ())) for one in works]
        try:
            short = await self._budget.afford(sum(len(one.text) for one in sent))
            if short is not None:
                return [short] * len(pushes)
            answer = await self._api.translate(_body(works[0], sent))
        except Unanswered as lost:
            return [lost.outcome()] * len(pushes)
        return self._outcomes(pushes, sent, answer)

    def _outcomes(self, pushes: Sequence[Push], sent: Sequence[Marked], answer: Answer) -> list[Outcome]:
        found = translations(answer, len(pushes))
        if found is not None:
            return [
                Confirmed(findings=(_drafted(push, mark, one),))
                for push, mark, one in zip(pushes, sent, found, strict=True)
            ]
        if answer.status != 200:
            # What one text of many is refused for is not the others' trouble: each is asked for alone.
            failed = failure(answer)
            if isinstance(failed, Rejected) and len(pushes) > 1:
                return [ChannelUnavailable("a request of many was refused: each is tried alone", 1.0)] * len(pushes)
            return [failed] * len(pushes)
        if len(pushes) > 1:
            return [ChannelUnavailable("the answer does not have a text for each: each is tried alone", 1.0)] * len(
                pushes
            )
        return [Rejected((Rejection("no_translation", "the answer holds no text"),))]


def _body(work: Payload, sent: Sequence[Marked]) -> Payload:
    settings = work["settings"]
    body: Payload = {
        "text": [one.text for one in sent],
        "source_lang": work["from"],
        "target_lang": work["to"],
        "show_billed_characters": True,
    }
    if "formality" in settings:
        body["formality"] = settings["formality"]
    if "glossary" in settings:
        body["glossary_id"] = settings["glossary"]
    if sent[0].handling is not None:
        body |= {"tag_handling": sent[0].handling, "ignore_tags": ["x"]}
    return body


def _drafted(push: Push, sent: Marked, said: Mapping[str, object]) -> TextDrafted:
    work = push.payload or {}
    attribute, locale, channel = slot_parts(push.facet)
    draft = unmarked(str(said["text"]), sent)
    billed = said.get("billed_characters")
    return TextDrafted(
        engine=NAME,
        sku=push.sku,
        attribute=attribute,
        locale=locale or "",
        channel=channel,
        source_locale=work["source_locale"],
        source=work["source"],
        draft=draft,
        characters=billed if isinstance(billed, int) else len(sent.text),
        settings=work["settings"],
        round=work.get("round", 0),
        problem=problem(work["text"], draft, work["settings"].get("keep", ())),
    )


SETTINGS = (
    Setting("url", "the address of DeepL's API: https://api.deepl.com, or https://api-free.deepl.com"),
    Setting("key", "the account's API key"),
    Setting(
        "characters_max",
        "how many characters a billing period may cost; without it only the account's own limit holds",
        optional=True,
    ),
)


def connector(settings: Mapping[str, str]) -> DeepLConnector:
    """From the values of `SETTINGS`."""
    url, key, most = settings["url"], settings["key"], settings.get("characters_max") or None
    host = urlsplit(url).hostname or ""
    if host.endswith("deepl.com") and key.endswith(":fx") != (host == FREE):
        raise BadConfiguration(
            f"a key that ends in :fx is for https://{FREE}, and any other for https://api.deepl.com",
            field="DAYBOOK_CHANNEL_DEEPL_URL",
        )
    if most is not None and not (most.isascii() and most.isdigit()):
        raise BadConfiguration(
            "characters_max must be a number of characters", field="DAYBOOK_CHANNEL_DEEPL_CHARACTERS_MAX"
        )
    return DeepLConnector(Api(url, key), None if most is None else int(most))
