"""How a channel is doing, read from Postgres alone."""

import psycopg
import pytest

from daybook.commands import CountStock
from daybook.errors import NotFound
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.commandline import Daybook
from tests.fixtures.pipeline import Pipeline, product, until


async def test_a_channel_tells_what_it_shows_what_it_waits_for_and_what_was_refused(
    database: str, nats_url: str
) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        runner, worker = pipeline.runner(), pipeline.delivery(sandbox.settings())
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("BAD", "bad"), product("HELD", attributes=()))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        await pipeline.level()
        status = pipeline.status()
        assert (status.listings, status.held, status.confirmed, status.rejected) == (2, 1, 3, 1)
        assert (status.lag, status.due, status.accepted, status.in_flight, status.level) == (0, 0, 0, 0, True)
        assert [(one.facet, one.state, one.acknowledged) for one in pipeline.channels.listing("toy", "A")] == [
            ("offer", "confirmed", True), ("price", "confirmed", True), ("stock", "confirmed", True),
        ]  # fmt: skip
        (held,) = pipeline.channels.listing("toy", "HELD")
        assert held.held == ("it has no name",) and held.payload is None
        (attempt,) = pipeline.channels.attempts("toy", "BAD")
        assert (attempt.outcome, attempt.status, attempt.method) == ("rejected", 422, "PUT")
        await pipeline.end(worker)
        await pipeline.end(runner)
        await pipeline.carry_out(CountStock(sku="A", quantity=9))
        assert pipeline.status().lag == 1 and not pipeline.status().level, "true also when every runner is dead"
        pipeline.runner()
        await pipeline.caught_up()
        assert pipeline.status().due == 1 and pipeline.status().lag == 0
    await sandbox.stop()


async def test_a_channel_that_never_ran_or_does_not_exist_is_named(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        with pytest.raises(NotFound, match="never run"):
            pipeline.status()
        with pytest.raises(NotFound, match="nosuch"):
            pipeline.channels.status("nosuch")


async def test_an_outage_is_told_with_its_reason_and_the_next_try(database: str, nats_url: str) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    sandbox.faults.outage = True
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"))
        await pipeline.caught_up()
        await until(lambda: pipeline.status().last_error, "the outage is told")
        status = pipeline.status()
        assert "was not answered" in (status.last_error or "") and status.next_try is not None and not status.level
    await sandbox.stop()


async def test_a_channel_that_does_not_answer_is_down_and_up_again_when_it_does(database: str, nats_url: str) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    sandbox.faults.outage = True
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        worker = pipeline.delivery(sandbox.settings())
        await pipeline.define_attributes()
        await pipeline.carry_out(*(product(f"S{number}") for number in range(4)))
        await pipeline.caught_up()
        await until(lambda: pipeline.status().state == "down", "the channel counts as down")
        await until(lambda: pipeline.status().workers == 1, "a worker is alive")
        breaker = pipeline.status().breaker
        assert breaker is not None and breaker.down and breaker.failures >= 3
        assert "was not answered" in (breaker.reason or "")
        pipeline.channels.pause("toy", True)
        assert pipeline.status().state == "paused", "a person's pause comes first"
        pipeline.channels.pause("toy", False)
        sandbox.faults.outage = False
        await pipeline.level()
        await until(lambda: pipeline.status().breaker is None, "every worker knows")
        assert (pipeline.status().state, pipeline.status().paused_because) == ("running", None)
        await pipeline.end(worker)
        # A renewal that was on its way while it said good-bye counts until its lease is over.
        await until(lambda: pipeline.status().workers == 0, "nobody is at work any more")
    await sandbox.stop()


async def test_a_channel_whose_runner_is_gone_is_behind_and_one_that_reads_a_few_events_is_not(
    database: str, nats_url: str
) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        runner = pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.caught_up()
        await pipeline.end(runner)
        await pipeline.carry_out(product("A"))
        assert (pipeline.status().state, bool(pipeline.status().lag)) == ("running", True)
        with psycopg.connect(database) as conn:
            conn.execute("UPDATE generations SET moved_at = moved_at - interval '1 minute'")
        assert pipeline.status().state == "behind"
        pipeline.runner()
        await pipeline.caught_up()
        assert pipeline.status().state == "running"


async def test_a_pause_that_the_channel_asked_for_is_told_with_its_words(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.runner()
        await pipeline.caught_up()
        with psycopg.connect(database) as conn:
            conn.execute("UPDATE projections SET paused = true, paused_because = 'HTTP 410: gone'")
            conn.execute(
                "INSERT INTO breakers (channel, quiet_until) VALUES ('toy', clock_timestamp() + interval '1 hour')"
            )
        status = pipeline.status()
        assert (status.state, status.paused_because) == ("paused", "HTTP 410: gone")
        assert status.breaker is not None and not status.breaker.down and status.breaker.quiet_until is not None
        daybook = Daybook({"DAYBOOK_POSTGRES": database})
        table = daybook("channel", "list").stdout
        assert all(word in table for word in ("paused by", "HTTP", "410:"))
        assert daybook.json("channel", "list")[0]["breaker"]["failures"] == 0
