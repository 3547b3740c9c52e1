"""One lane's work: which pushes, in which order, and when to stop. A scripted channel answers."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Lost,
    Manifest,
    Outcome,
    Push,
    Rejected,
    StockRule,
    Stopped,
    Throttled,
    Waiting,
)
from daybook.delivery.lane import Lane
from daybook.delivery.lane_results import LaneResult, LaneRow, not_attempted
from daybook.events import ChannelConfigured, Rejection

MANIFEST = Manifest(
    name="toy",
    title="Toy",
    version=1,
    state=dict,
    fold=lambda state, recorded: state,
    render=lambda state, reference: {},
    facets=("offer", "price", "stock"),
    defaults=ChannelConfigured(name="toy"),
    stock=StockRule("stock", "price", lambda payload: int(payload["pieces"])),
    submission_seconds_max=60.0,
)
NO = Rejected((Rejection("no", "not this"),))


class Scripted:
    """Answers by (SKU, facet); confirmed when the script says nothing."""

    def __init__(self, script: Mapping[tuple[str, str], Outcome | Exception] | None = None) -> None:
        self.script = dict(script or {})
        self.asked: list[tuple[str, str]] = []
        self.pushes: list[Push] = []

    async def push(self, push: Push) -> Outcome:
        self.asked.append((push.sku, push.facet))
        self.pushes.append(push)
        answer = self.script.get((push.sku, push.facet), Confirmed())
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def confirm(self, push: Push, submission: str) -> Outcome:
        self.asked.append((push.sku, submission))
        self.pushes.append(push)
        answer = self.script[push.sku, submission]
        assert not isinstance(answer, Exception)
        return answer

    async def close(self) -> None: ...


def row(sku: str, facet: str, state: str = "due", payload: str | None = "{}", **fields: object) -> LaneRow:
    given: dict[str, object] = {
        "lane": "L", "sku": sku, "facet": facet, "key": "A", "rank": ("offer", "price", "stock", "text").index(facet),
        "state": state, "attempts": 1, "acknowledged": None, "payload": payload,
        "hash": facet.encode() if payload else None, "position": 7, "cause": None, "correlation": None,
        "submission": None, "submitted": None, "submitted_body": None,
        "submitted_seconds": None, "receipt": 0, "shown_body": None,
    }  # fmt: skip
    return msgspec.convert(given | fields, LaneRow)


def work(connector: Scripted, *rows: LaneRow, **fields: Any) -> LaneResult:
    manifest = msgspec.structs.replace(MANIFEST, **fields)
    return asyncio.run(Lane(manifest, connector, {}).work("L", rows))


def test_facets_go_in_order_and_what_is_confirmed_is_left_alone() -> None:
    channel = Scripted()
    done = work(channel, row("A", "offer", "confirmed"), row("A", "price"), row("A", "stock"))
    assert channel.asked == [("A", "price"), ("A", "stock")] and not done.blocked


def test_what_one_request_covered_is_not_sent_again() -> None:
    channel = Scripted({("A", "offer"): Confirmed(covers=("offer", "price", "stock"), remote_id="1")})
    done = work(channel, row("A", "offer"), row("A", "price"), row("A", "stock"))
    assert channel.asked == [("A", "offer")]
    assert done.results[0].facets == (("offer", b"offer", 7), ("price", b"price", 7), ("stock", b"stock", 7))


def test_an_id_that_was_learned_serves_the_rest_of_the_lane() -> None:
    channel = Scripted({("A", "offer"): Confirmed(remote_id="1")})
    work(channel, row("A", "offer"), row("A", "price"), row("B", "offer"))
    assert channel.pushes[1].remote_id == "1" and channel.pushes[2].remote_ids == {"A": "1"}


def test_a_rejected_creation_stops_the_sku_and_not_the_lane() -> None:
    channel = Scripted({("A", "offer"): NO})
    work(channel, row("A", "offer"), row("A", "price"), row("B", "offer"))
    assert channel.asked == [("A", "offer"), ("B", "offer")]


def test_a_rejected_price_does_not_stop_the_stock() -> None:
    channel = Scripted({("A", "price"): NO})
    work(channel, row("A", "offer", "confirmed"), row("A", "price"), row("A", "stock"))
    assert channel.asked == [("A", "price"), ("A", "stock")]


def test_without_a_listing_nothing_is_sent_and_the_lane_says_so() -> None:
    channel = Scripted()
    done = work(channel, row("A", "offer", "rejected"), row("A", "stock"))
    assert channel.asked == [] and done.blocked


def test_an_outage_or_a_throttle_stops_the_lane() -> None:
    for outcome in (ChannelUnavailable("down"), Throttled(1.0)):
        channel = Scripted({("A", "offer"): outcome})
        work(channel, row("A", "offer"), row("B", "offer"))
        assert channel.asked == [("A", "offer")]


def test_a_connector_that_raises_is_an_outage_and_not_a_lost_lane() -> None:
    done = work(Scripted({("A", "offer"): ValueError("oops")}), row("A", "offer"))
    assert done.results[0].outcome == ChannelUnavailable("the connector failed: ValueError: oops")


def test_a_removal_of_the_listing_covers_its_facets() -> None:
    channel = Scripted({("A", "offer"): Confirmed(covers=("offer", "price"))})
    work(channel, row("A", "offer", payload=None), row("A", "price", payload=None))
    assert channel.asked == [("A", "offer")]


def test_a_facet_that_goes_alone_is_taken_off_alone() -> None:
    channel = Scripted()
    work(channel, row("A", "offer", "confirmed"), row("A", "price", payload=None))
    assert channel.pushes[0].facet == "price" and channel.pushes[0].payload is None


def test_a_submission_is_confirmed_by_what_was_sent_and_for_all_that_was_sent_together() -> None:
    channel = Scripted({("A", "s1"): Confirmed(remote_id="1")})
    sent = {"state": "accepted", "submission": "s1"}
    done = work(
        channel,
        row("A", "offer", **sent, submitted=b"old", submitted_body='{"old":1}'),
        row("A", "price", **sent, submitted=b"p", submitted_body='{"p":1}'),
        row("A", "stock"),
    )
    assert channel.asked == [("A", "s1"), ("A", "stock")]
    assert channel.pushes[0].listing == {"offer": {"old": 1}, "price": {"p": 1}}
    assert done.results[0].facets == (("offer", b"old", 7), ("price", b"p", 7))


def test_nothing_else_of_the_sku_is_sent_while_a_submission_is_under_way() -> None:
    channel = Scripted({("A", "s1"): Accepted(submission="s1")})
    work(channel, row("A", "offer", "accepted", submission="s1"), row("A", "price"), row("B", "offer"))
    assert channel.asked == [("A", "s1"), ("B", "offer")]


def test_the_bodies_of_all_that_went_with_a_submission_are_kept() -> None:
    channel = Scripted({("A", "offer"): Accepted(submission="s1", covers=("offer", "price"))})
    done = work(channel, row("A", "offer", payload='{"o":1}'), row("A", "price", payload='{"p":1}'))
    assert done.results[0].bodies == ((b"offer", '{"o":1}'), (b"price", '{"p":1}'))


def test_a_root_that_waits_for_its_variants_lets_them_go() -> None:
    channel = Scripted({("A", "offer"): Waiting("the channel does not have B yet")})
    work(channel, row("A", "offer"), row("B", "offer"), row("C", "offer"), lane="group")
    assert channel.asked == [("A", "offer"), ("B", "offer"), ("C", "offer")]


def test_only_what_may_have_reached_the_channel_counts_as_a_try() -> None:
    rows = [row("A", "offer"), row("A", "price"), row("B", "offer"), row("C", "offer"), row("D", "offer")]
    script: dict[tuple[str, str], Outcome | Exception] = {
        ("A", "price"): NO,
        ("B", "offer"): Waiting("its parent"),
        ("C", "offer"): Throttled(),
    }
    done = work(Scripted(script), *rows)
    assert not_attempted(rows, done) == [("B", "offer"), ("C", "offer"), ("D", "offer")]
    assert not_attempted(rows[:1], work(Scripted({("A", "offer"): ChannelUnavailable("lost")}), rows[0])) == []


def there(facet: str, state: str = "due", **fields: object) -> LaneRow:
    """A facet of a listing that the channel has."""
    given: dict[str, Any] = {"acknowledged": b"old"} | fields
    return row("A", facet, state, **given)


def pieces(number: int) -> str:
    return f'{{"pieces":{number}}}'


def test_fewer_pieces_go_before_everything_else() -> None:
    channel = Scripted()
    fewer = there("stock", payload=pieces(0), shown_body=pieces(5))
    work(channel, there("offer"), there("price"), fewer)
    assert channel.asked == [("A", "stock"), ("A", "offer"), ("A", "price")]


def test_nothing_left_goes_first_also_when_what_the_channel_shows_is_not_known() -> None:
    channel = Scripted()
    work(channel, there("offer"), there("price"), there("stock", payload=pieces(0)))
    assert channel.asked[0] == ("A", "stock")


def test_more_pieces_go_last_and_their_price_first() -> None:
    channel = Scripted()
    more = there("stock", payload=pieces(5), shown_body=pieces(0))
    work(channel, there("offer"), there("price"), more)
    assert channel.asked == [("A", "price"), ("A", "offer"), ("A", "stock")]


def test_more_pieces_wait_until_their_price_is_confirmed() -> None:
    channel = Scripted({("A", "price"): Accepted(submission="s")})
    more = there("stock", payload=pieces(5), shown_body=pieces(0))
    work(channel, there("offer", "confirmed"), there("price"), more)
    assert channel.asked == [("A", "price")]


def test_more_pieces_are_not_sold_at_a_price_that_was_refused() -> None:
    channel = Scripted({("A", "price"): NO})
    more = there("stock", payload=pieces(5), shown_body=pieces(0))
    work(channel, there("offer", "confirmed"), there("price"), more)
    assert channel.asked == [("A", "price")]
    channel = Scripted()
    assert work(channel, there("offer", "confirmed"), there("price", "rejected"), more).blocked
    assert channel.asked == []


def test_fewer_pieces_are_sold_also_at_a_price_that_was_refused() -> None:
    channel = Scripted()
    fewer = there("stock", payload=pieces(1), shown_body=pieces(5))
    work(channel, there("offer", "confirmed"), there("price", "rejected"), fewer)
    assert channel.asked == [("A", "stock")]


def test_a_submission_without_an_end_is_brought_anew_with_a_look_for_what_became_of_it() -> None:
    channel = Scripted({("A", "s"): Accepted(submission="s")})
    hanging = {"submission": "s", "submitted": b"x", "submitted_body": "{}", "attempts": 0}
    young = there("offer", "accepted", submitted_seconds=59.0, **hanging)
    assert work(channel, young).results[-1].outcome == Accepted(submission="s") and channel.asked == [("A", "s")]
    channel.asked.clear()
    done = work(channel, there("offer", "accepted", submitted_seconds=61.0, **hanging))
    assert channel.asked == [("A", "s"), ("A", "offer")]
    assert channel.pushes[-1].attempt == 2 and done.results[0].overdue and not done.results[1].overdue


def test_a_submission_whose_listing_is_gone_is_brought_anew_at_once_and_not_when_it_is_overdue() -> None:
    channel = Scripted({("A", "s"): Lost("there is no such listing")})
    submitted = {"submission": "s", "submitted": b"x", "submitted_body": "{}", "attempts": 0}
    done = work(channel, there("offer", "confirmed"), there("price", "accepted", submitted_seconds=0.1, **submitted))
    assert channel.asked == [("A", "s"), ("A", "price")]
    assert channel.pushes[-1].attempt == 2 and channel.pushes[-1].listing.keys() == {"offer", "price"}
    assert done.results[0].overdue and done.results[0].facets == (("price", b"x", 7),)


def test_a_submission_of_which_nobody_knows_what_was_sent_is_brought_anew_and_not_asked_after() -> None:
    channel = Scripted()
    submitted = {"submission": "s", "submitted": b"x", "submitted_body": None, "attempts": 0}
    done = work(channel, there("offer", "confirmed"), there("price", "accepted", submitted_seconds=0.1, **submitted))
    assert channel.asked == [("A", "price")]
    assert channel.pushes[-1].attempt == 2 and isinstance(done.results[-1].outcome, Confirmed)


def test_a_channel_that_wants_no_more_calls_gets_none() -> None:
    channel = Scripted({("A", "offer"): Stopped("410 Gone")})
    done = work(channel, row("A", "offer"), row("A", "price"), row("B", "offer"))
    assert channel.asked == [("A", "offer")]
    assert ("A", "offer") in not_attempted([row("A", "offer")], done)


def test_a_slow_facet_alongside_holds_no_price_and_no_stock_back() -> None:
    slow = {"last_facets": ("text",), "facets": ("offer", "price", "stock", "text")}
    channel = Scripted({("A", "s"): Accepted(submission="s")})
    under_way = there("text", "accepted", submission="s", submitted=b"x", submitted_body="{}")
    done = work(
        channel, there("offer", "confirmed"), there("price"), there("stock", payload=pieces(1)), under_way, **slow
    )
    assert channel.asked == [("A", "s"), ("A", "price"), ("A", "stock")] and not done.blocked


def test_a_slow_facet_alongside_goes_last() -> None:
    slow = {"last_facets": ("text",), "facets": ("offer", "price", "stock", "text")}
    channel = Scripted({("A", "text"): Accepted(submission="s")})
    more = there("stock", payload=pieces(5), shown_body=pieces(0))
    work(channel, there("offer"), there("price"), more, there("text"), **slow)
    assert channel.asked == [("A", "price"), ("A", "offer"), ("A", "stock"), ("A", "text")]
