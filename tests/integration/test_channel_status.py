"""How a channel is doing, read from Postgres alone."""

import asyncio

import psycopg
import pytest

from daybook.commands import CountStock
from daybook.errors import NotFound
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.commandline import Daybook
from tests.fixtures.pipeline import Line, product, until


def test_a_channel_tells_what_it_shows_what_it_waits_for_and_what_was_refused(database: str, nats_url: str) -> None:
    async def main() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            runner, worker = line.runner(), line.delivery(sandbox.settings())
            await line.model()
            await line.say(product("A"), product("BAD", "bad"), product("HELD", attributes=()))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            await line.level()
            status = line.status()
            assert (status.listings, status.held, status.confirmed, status.rejected) == (2, 1, 3, 1)
            assert (status.lag, status.due, status.accepted, status.in_flight, status.level) == (0, 0, 0, 0, True)
            assert [(one.facet, one.state, one.acknowledged) for one in line.channels.listing("toy", "A")] == [
                ("offer", "confirmed", True), ("price", "confirmed", True), ("stock", "confirmed", True),
            ]  # fmt: skip
            (held,) = line.channels.listing("toy", "HELD")
            assert held.held == ("it has no name",) and held.payload is None
            (attempt,) = line.channels.attempts("toy", "BAD")
            assert (attempt.outcome, attempt.status, attempt.method) == ("rejected", 422, "PUT")
            await line.end(worker)
            await line.end(runner)
            await line.say(CountStock(sku="A", quantity=9))
            assert line.status().lag == 1 and not line.status().level, "true also when every runner is dead"
            line.runner()
            await line.caught_up()
            assert line.status().due == 1 and line.status().lag == 0
        await sandbox.stop()

    asyncio.run(main())


def test_a_channel_that_never_ran_or_does_not_exist_is_named(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            with pytest.raises(NotFound, match="never run"):
                line.status()
            with pytest.raises(NotFound, match="nosuch"):
                line.channels.status("nosuch")

    asyncio.run(main())


def test_an_outage_is_told_with_its_reason_and_the_next_try(database: str, nats_url: str) -> None:
    async def main() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        sandbox.faults.outage = True
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            line.runner()
            line.delivery(sandbox.settings())
            await line.model()
            await line.say(product("A"))
            await line.caught_up()
            await until(lambda: line.status().last_error, "the outage is told")
            status = line.status()
            assert "was not answered" in (status.last_error or "") and status.next_try is not None and not status.level
        await sandbox.stop()

    asyncio.run(main())


def test_a_channel_that_does_not_answer_is_down_and_up_again_when_it_does(database: str, nats_url: str) -> None:
    async def main() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        sandbox.faults.outage = True
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            line.runner()
            worker = line.delivery(sandbox.settings())
            await line.model()
            await line.say(*(product(f"S{number}") for number in range(4)))
            await line.caught_up()
            await until(lambda: line.status().state == "down", "the channel counts as down")
            await until(lambda: line.status().workers == 1, "a worker is alive")
            breaker = line.status().breaker
            assert breaker is not None and breaker.down and breaker.failures >= 3
            assert "was not answered" in (breaker.reason or "")
            line.channels.pause("toy", True)
            assert line.status().state == "paused", "a person's pause comes first"
            line.channels.pause("toy", False)
            sandbox.faults.outage = False
            await line.level()
            await until(lambda: line.status().breaker is None, "every worker knows")
            assert (line.status().state, line.status().paused_because) == ("running", None)
            await line.end(worker)
            assert line.status().workers == 0
        await sandbox.stop()

    asyncio.run(main())


def test_a_channel_whose_runner_is_gone_is_behind_and_one_that_reads_a_few_events_is_not(
    database: str, nats_url: str
) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            runner = line.runner()
            await line.model()
            await line.caught_up()
            await line.end(runner)
            await line.say(product("A"))
            assert (line.status().state, bool(line.status().lag)) == ("running", True)
            with psycopg.connect(database) as conn:
                conn.execute("UPDATE generations SET moved_at = moved_at - interval '1 minute'")
            assert line.status().state == "behind"
            line.runner()
            await line.caught_up()
            assert line.status().state == "running"

    asyncio.run(main())


def test_a_pause_that_the_channel_asked_for_is_told_with_its_words(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.runner()
            await line.caught_up()
            with psycopg.connect(database) as conn:
                conn.execute("UPDATE projections SET paused = true, paused_because = 'HTTP 410: gone'")
                conn.execute(
                    "INSERT INTO breakers (channel, quiet_until) VALUES ('toy', clock_timestamp() + interval '1 hour')"
                )
            status = line.status()
            assert (status.state, status.paused_because) == ("paused", "HTTP 410: gone")
            assert status.breaker is not None and not status.breaker.down and status.breaker.quiet_until is not None
            daybook = Daybook({"DAYBOOK_POSTGRES": database})
            table = daybook("channel", "list").stdout
            assert all(word in table for word in ("paused by", "HTTP", "410:"))
            assert daybook.json("channel", "list")[0]["breaker"]["failures"] == 0

    asyncio.run(main())
