"""What the logs of `deliver` and `project` tell of an outage, a refusal, a parked group and a stream that is away."""

import asyncio
import logging

import pytest

from daybook.projection import source
from tests.fixtures.channels import POISON, ToySandbox, toy
from tests.fixtures.pipeline import Pipeline, product, until


def lines(caplog: pytest.LogCaptureFixture, part: str) -> list[logging.LogRecord]:
    return [one for one in caplog.records if part in one.getMessage()]


async def test_an_outage_its_end_a_refusal_and_a_parked_group_are_in_the_log_once(
    database: str, nats_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "daybook")
    sandbox = ToySandbox()
    await sandbox.start()
    try:
        async with Pipeline(database, nats_url, toy()) as book:
            book.relay()
            book.runner()
            book.delivery(sandbox.settings())
            await book.define_attributes()
            sandbox.faults.outage = True
            await book.carry_out(*(product(f"S{number}") for number in range(5)))
            await until(lambda: lines(caplog, "does not answer"), "the outage is told")
            sandbox.faults.outage = False
            await book.carry_out(product("BAD", "bad"), product("POISON", POISON))
            await until(lambda: lines(caplog, "refused"), "the refusal is told")
            await until(lambda: lines(caplog, "parked"), "the parked group is told")
            await book.level()
    finally:
        await sandbox.stop()
    (down,) = lines(caplog, "does not answer")
    assert down.levelno == logging.WARNING and "toy" in down.getMessage() and vars(down)["failures"] >= 3
    assert len(lines(caplog, "toy answers again")) == 1
    (refused,) = lines(caplog, "toy refused BAD")
    assert (vars(refused)["sku"], vars(refused)["count"]) == ("BAD", 1)
    (parked,) = lines(caplog, "toy parked POISON")
    assert "RuntimeError" in parked.getMessage()
    assert lines(caplog, "toy runs here from position")
    about = [one for one in caplog.records if one.getMessage().startswith("toy ")]
    assert {vars(one).get("channel") for one in about} == {"toy"}, "JSON names the channel in a field"


async def test_a_stream_that_stays_away_is_told_once_and_so_is_its_return(
    database: str, nats_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "daybook")
    monkeypatch.setattr(source, "SAID_AFTER_SECONDS", 0.1)
    async with Pipeline(database, nats_url, toy()) as book:
        book.runner()  # without a relay there is no stream yet
        await book.define_attributes()
        await book.caught_up()
        await until(lambda: lines(caplog, "the log is asked instead"), "the missing stream is told")
        await asyncio.to_thread(book.ringer.ring)
        book.relay()
        await until(lambda: lines(caplog, "the stream is read again"), "its return is told")
    assert len(lines(caplog, "the log is asked instead")) == 1
