"""The HTTP API as a writer sees it: an answer, a refusal, or nothing at all."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import msgspec

ANSWER_SECONDS_MAX = 15.0


class NoAnswer(Exception):
    """The connection was refused, cut, or silent for too long: what was asked may have been done."""


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: Any


class Api:
    """Asks one server. Safe to use from any thread."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self._headers = dict(headers or {})

    def get(self, path: str, **query: object) -> Answer:
        """A question. Raises NoAnswer."""
        asked = urllib.parse.urlencode({name: str(value) for name, value in query.items() if value is not None})
        return self.send("GET", f"{path}?{asked}" if asked else path)

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request. Raises NoAnswer."""
        raw = None if body is None else json.dumps(body).encode()
        given = self._headers | ({} if raw is None else {"Content-Type": "application/json"}) | dict(headers or {})
        request = urllib.request.Request(self.url + path, data=raw, headers=given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as answer:
                return Answer(answer.status, _decoded(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                try:
                    return Answer(error.code, _decoded(error.read()))
                except (OSError, http.client.HTTPException) as cut:
                    raise NoAnswer(f"{method} {path}: {cut!r}") from cut
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{method} {path}: {error!r}") from error


def quoted(part: str) -> str:
    """A name as part of a path."""
    return urllib.parse.quote(part, safe="")


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode(errors="replace")
