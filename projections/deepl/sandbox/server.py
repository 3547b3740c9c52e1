"""A pretended DeepL, from its published description (OpenAPI 3.11.0): /v2/translate, /v2/usage, /v3/glossaries.

With its known oddities: 456 when the quota is used up, bursts of 529, no Retry-After, plain EN and PT that are no
targets, a key for the free API that the other host refuses, ignored tags that get lost, an answer that is too short.
`shown` tells what was translated; DeepL itself keeps nothing of it.
"""

import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer
from daybook_projections.deepl.sandbox.rules import translated, without_tags

BODY_BYTES_MAX = 128 * 1024
TEXTS_MAX = 50
SOURCES = frozenset({"BG", "CS", "DA", "DE", "EN", "ES", "FI", "FR", "IT", "NL", "PL", "PT", "SV"})
TARGETS = (SOURCES - {"EN", "PT"}) | {"EN-GB", "EN-US", "PT-PT", "PT-BR"}
FORMALITIES = {"default", "more", "less", "prefer_more", "prefer_less"}
FORMAL = frozenset({"DE", "ES", "FR", "IT", "NL", "PL", "PT-PT", "PT-BR"})
"""Into these formality is supported; `more` and `less` are refused for others, `prefer_…` never."""


class DeepLSandbox(SandboxServer):
    """One account."""

    def __init__(self, characters: int = 500_000) -> None:
        super().__init__()
        self.key = f"{secrets.token_hex(12)}:fx"
        self.limit = characters
        self.used = 0
        self.busy_next = 0
        """So many requests are answered 529."""
        self.lose_tags_next = 0
        """So many texts lose their ignored tags."""
        self.short_next = 0
        """So many answers have a translation less than there were texts."""
        self.garbage_next = 0
        """So many answers are 200 with an error inside."""
        self.glossaries: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
        self.translations: Counter[tuple[str, str]] = Counter()
        """(target, text) -> how often it was asked for."""

    def settings(self) -> dict[str, str]:
        return {"url": self.url, "key": self.key}

    def shown(self) -> Mapping[str, Payload]:
        return {
            f"{target} {text}": {"title": translated(text, target, frozenset(), {}, False), "live": False}
            for target, text in self.translations
        }

    def throttled(self) -> web.Response:
        return _error(429, "Too many requests")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/translate", self._translate),
            web.get("/v2/usage", self._usage),
            web.post("/v3/glossaries", self._add_glossary),
            web.get("/v3/glossaries/{id}", self._get_glossary),
            web.delete("/v3/glossaries/{id}", self._delete_glossary),
        ]

    async def _translate(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if self.busy_next > 0:
            self.busy_next -= 1
            return _error(529, "Too many requests: the servers are busy")
        if len(await request.read()) > BODY_BYTES_MAX:
            return _error(413, "Request body too large")
        body = await request.json()
        wrong = self._wrong(body)
        if wrong is not None:
            return wrong
        texts = body["text"]
        if self.used + sum(map(len, texts)) > self.limit:
            return _error(456, "Quota Exceeded")
        if self.garbage_next > 0:
            self.garbage_next -= 1
            return _answer({"message": "internal error"})
        self.used += sum(map(len, texts))
        made = [self._one(text, body) for text in texts]
        if self.short_next > 0:
            self.short_next -= 1
            made.pop()
        return _answer({"translations": made})

    def _wrong(self, body: dict[str, Any]) -> web.Response | None:
        texts, source, target = body.get("text"), body.get("source_lang"), body.get("target_lang")
        if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
            return _error(400, "Parameter 'text' not specified.")
        if len(texts) > TEXTS_MAX:
            return _error(400, f"Too many texts: at most {TEXTS_MAX}")
        if target not in TARGETS:
            return _error(400, "Value for 'target_lang' not supported.")
        if source is not None and source not in SOURCES:
            return _error(400, "Value for 'source_lang' not supported.")
        formality = body.get("formality", "default")
        if formality not in FORMALITIES or (formality in ("more", "less") and target not in FORMAL):
            return _error(400, "'formality' is not supported for given 'target_lang'.")
        if body.get("tag_handling") not in (None, "xml", "html"):
            return _error(400, "Value for 'tag_handling' not supported.")
        if (glossary := body.get("glossary_id")) is not None:
            if source is None:
                return _error(400, "Use of a glossary requires the 'source_lang' parameter.")
            if glossary not in self.glossaries:
                return _error(404, "Glossary not found")
            if (source, _base(target)) not in self.glossaries[glossary]:
                return _error(400, "The glossary has no dictionary for this pair of languages.")
        return None

    def _one(self, text: str, body: dict[str, Any]) -> dict[str, Any]:
        target, ignored = body["target_lang"], frozenset(body.get("ignore_tags") or ())
        self.translations[target, text] += 1
        glossary = self.glossaries.get(body.get("glossary_id") or "", {})
        words = glossary.get((body.get("source_lang") or "", _base(target)), {})
        made = translated(text, target, ignored, words, body.get("tag_handling") is not None)
        if self.lose_tags_next > 0:
            self.lose_tags_next -= 1
            made = without_tags(made, ignored)
        answer = {"detected_source_language": body.get("source_lang") or "NL", "text": made}
        return answer | ({"billed_characters": len(text)} if body.get("show_billed_characters") else {})

    async def _usage(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        return _answer({"character_count": self.used, "character_limit": self.limit})

    async def _add_glossary(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        name = secrets.token_hex(16)
        dictionaries = {
            (one["source_lang"].upper(), one["target_lang"].upper()): dict(
                line.split("\t" if one.get("entries_format", "tsv") == "tsv" else ",", 1)
                for line in one["entries"].splitlines()
            )
            for one in body["dictionaries"]
        }
        self.glossaries[name] = dictionaries
        return _answer(_described(name, dictionaries), 201)

    async def _get_glossary(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        name = request.match_info["id"]
        if name not in self.glossaries:
            return _error(404, "Glossary not found")
        return _answer(_described(name, self.glossaries[name]))

    async def _delete_glossary(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        gone = self.glossaries.pop(request.match_info["id"], None)
        return _error(404, "Glossary not found") if gone is None else web.Response(status=204)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"DeepL-Auth-Key {self.key}":
            return None
        return _error(403, "Forbidden")


def _base(target: str) -> str:
    return target.partition("-")[0]


def _described(name: str, dictionaries: Mapping[tuple[str, str], Mapping[str, str]]) -> dict[str, Any]:
    listed = [
        {"source_lang": source.lower(), "target_lang": target.lower(), "entry_count": len(entries)}
        for (source, target), entries in dictionaries.items()
    ]
    return {"glossary_id": name, "name": "daybook", "dictionaries": listed}


def _answer(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, headers={"X-Trace-ID": secrets.token_hex(16)})


def _error(status: int, message: str) -> web.Response:
    return _answer({"message": message}, status)
