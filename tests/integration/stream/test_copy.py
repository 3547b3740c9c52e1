"""A copy of the stream, in a file and over HTTP: every message as it is stored, also what is no event of ours."""

import asyncio
import json
import stat
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.errors import InvalidValue, NotFound
from daybook.stream.copy import save
from daybook.stream.jetstream import Message
from tests.fixtures.commandline import Daybook
from tests.fixtures.owner import client_of
from tests.fixtures.relays import Relays, fill, ids, relays

FOREIGN = Message("daybook.product.price_changed.1", b"\xff\xfe no text")


@pytest.fixture
async def filled(database: str, nats_url: str) -> AsyncIterator[Relays]:
    """A stream with five events, and behind them what somebody else published."""
    async with relays(database, nats_url) as running:
        await asyncio.to_thread(fill, database, 5)
        running.start()
        await running.reach(5)
        await running.end()
        await running.stream.publish([FOREIGN], 5)
        yield running


def events_of(messages: list[dict[str, Any]]) -> list[str]:
    """The ids of the events, and what the foreign message says."""
    return [json.loads(one["body"])["id"] if one.get("body") else b64decode(one["base64"]).hex() for one in messages]


async def test_a_file_has_every_message_and_is_never_written_over(filled: Relays, tmp_path: Path) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": filled.dsn, "DAYBOOK_NATS": filled.url, "DAYBOOK_DATA": str(tmp_path)})
    file = tmp_path / "stream.jsonl"
    done = await asyncio.to_thread(daybook.json, "stream", "save", str(file))
    assert done["messages"] == 6
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [one["sequence"] for one in lines] == [1, 2, 3, 4, 5, 6]
    assert events_of(lines) == [*ids(filled.dsn), FOREIGN.body.hex()]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(InvalidValue, match="can't be made"):
        await save(filled.url, file, lambda at, last: None)
    await filled.stream.delete()
    with pytest.raises(NotFound, match="nothing to save"):
        await save(filled.url, tmp_path / "other.jsonl", lambda at, last: None)
    assert not (tmp_path / "other.jsonl").exists()


async def test_the_api_gives_the_same_page_by_page(filled: Relays) -> None:
    def walked() -> list[dict[str, Any]]:
        settings = Settings(data=Path("unused"), postgres=filled.dsn, nats=filled.url)
        with App(settings, Registry([])) as app, client_of(app) as client:
            found: list[dict[str, Any]] = []
            after: int | None = 0
            while after is not None:
                answer = client.get("/api/v1/stream/messages", params={"after": after, "limit": 4})
                assert answer.status_code == 200, answer.text
                found += answer.json()["messages"]
                after = answer.json()["next"]
            return found

    messages = await asyncio.to_thread(walked)
    assert [one["sequence"] for one in messages] == [1, 2, 3, 4, 5, 6]
    assert events_of(messages) == [*ids(filled.dsn), FOREIGN.body.hex()]
