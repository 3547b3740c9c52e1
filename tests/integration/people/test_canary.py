"""A name that is nowhere else: after an erasure it is in no table, no message, no log line and no answer."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from daybook.app import App
from daybook.channel.contract import Outcome, Push
from daybook.events import ListingRejected
from daybook.people.person import Person
from daybook.queries import waiting
from tests.fixtures.channels import ToyConnector, ToySandbox, toy
from tests.fixtures.owner import client_of
from tests.fixtures.people import ADA, CANARY, by_ada, found_in_tables
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.relays import relays


class TellingConnector(ToyConnector):
    """A channel that has to be told a name with each offer, as a parcel's label would be."""

    def __init__(self, settings: Mapping[str, str], app: App, person: str) -> None:
        super().__init__(settings)
        self._app, self._person = app, person

    async def _write(self, method: str, path: str, body: object = None) -> Any:
        known = await asyncio.to_thread(self._app.people.get, self._person) or Person()
        told = {**(body if isinstance(body, dict) else {}), "recipient": {"name": known.name}}
        return await self._calls.request(
            method, path, body=told, query={"for": known.name or ""}, people=(self._person,)
        )

    async def push(self, push: Push) -> Outcome:
        return await super().push(push)


class EchoingSandbox(ToySandbox):
    """A marketplace that repeats the name in its refusals."""

    async def _carry_out(self, request: Any, sku: str) -> Any:
        from aiohttp import web

        body = await request.json()
        if body["recipient"]["name"] is None or sku != "ECHO":
            return await super()._carry_out(request, sku)
        self.writes.append((request.method, sku, body))
        return web.json_response({"code": "E1", "message": f"{body['recipient']['name']} is unknown here"}, status=422)


async def test_after_an_erasure_the_name_is_in_no_table_message_or_log_line(
    database: str, nats_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox = EchoingSandbox()
    await sandbox.start()
    manifest = toy()
    async with Pipeline(database, nats_url, manifest) as pipeline:
        app = pipeline.app
        person = (await asyncio.to_thread(app.people.add, ADA, by_ada())).person
        pipeline.manifest = replace(manifest, connector=lambda given: TellingConnector(given, app, person))
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(product("TOLD"), product("ECHO"))
        await pipeline.level()
        await asyncio.to_thread(app.disclosures.export, person, by_ada())
        assert sandbox.count("TOLD") and sandbox.count("ECHO")
        before = await asyncio.to_thread(found_in_tables, database, CANARY)
        refused = [one for one in app.reader.after(0) if isinstance(one.event, ListingRejected)]
        assert refused, "the echo was refused, and the refusal is an event"
        shown = await asyncio.to_thread(what_is_shown, pipeline)
        assert "name_refused" in shown or "E1" in shown, "a refusal is shown"
        assert CANARY.lower() not in shown.lower(), "but nobody who looks after a channel is shown a name"

        report = await asyncio.to_thread(app.erasure.erase, person, by_ada())

        assert set(before) == {"public.attempts", "public.bodies"}, "the journal alone held it"
        assert report.cleared["delivery journal"] >= 2
        assert await asyncio.to_thread(found_in_tables, database, CANARY) == {}
        attempts = await asyncio.to_thread(attempts_of, database)
        assert attempts and all(one[1:] == (None, None, None, None) for one in attempts), "that there were some stays"
        messages = await published(database, nats_url, app.reader.head())
        assert len(messages) == app.reader.head() and not [one for one in messages if CANARY.lower() in one.lower()]
        assert CANARY.lower() not in caplog.text.lower()
    await sandbox.stop()


def what_is_shown(pipeline: Pipeline) -> str:
    """All that is shown of a channel: by queries, so over HTTP and at the command line."""
    name, ask = pipeline.manifest.name, pipeline.channels
    tried = [ask.attempts(name, sku) for sku in ("TOLD", "ECHO")]
    return str([ask.all(), ask.rejected(name), tried, waiting.report(pipeline.app.pool, pipeline.app.registry)])


def attempts_of(dsn: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute("SELECT id, url, request, answer, people FROM attempts").fetchall()


async def published(database: str, nats_url: str, head: int) -> list[str]:
    """Every message of the stream, once it has all events."""
    async with relays(database, nats_url) as running:
        await running.reach(head)
        bodies = [await running.stream.message(number) for number in range(1, head + 1)]
    return [body.decode() for body in bodies if body is not None]


async def test_a_request_that_was_under_way_when_its_person_was_erased_is_written_down_without_the_name(
    database: str, nats_url: str
) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    manifest = toy()
    async with Pipeline(database, nats_url, manifest) as pipeline:
        app = pipeline.app
        person = (await asyncio.to_thread(app.people.add, ADA, by_ada())).person
        pipeline.manifest = replace(manifest, connector=lambda given: TellingConnector(given, app, person))
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        pipeline.delivery(sandbox.settings())
        sandbox.gate.clear()
        await pipeline.carry_out(product("TOLD"))
        await until(lambda: sandbox.count("TOLD"), "the request is under way")

        await asyncio.to_thread(app.erasure.erase, person, by_ada())
        sandbox.gate.set()
        await pipeline.level()

        assert await asyncio.to_thread(attempts_of, database)
        assert await asyncio.to_thread(found_in_tables, database, CANARY) == {}
    await sandbox.stop()


def test_no_answer_of_a_route_and_no_log_line_holds_what_was_refused(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.fixtures.people import people_on

    caplog.set_level(logging.DEBUG)
    with people_on(database) as app, client_of(app) as client:
        for body in (
            {"name": f"{CANARY}\n"},
            {"mail": CANARY},
            {"phone": CANARY},
            {"address": {"country": CANARY}},
            {"address": {"lines": [CANARY * 50]}},
            {"address": CANARY},
        ):
            answer = client.post("/api/v1/people", json=body)
            assert answer.status_code in (400, 422) and CANARY.lower() not in answer.text.lower(), answer.text
    assert CANARY.lower() not in caplog.text.lower()
