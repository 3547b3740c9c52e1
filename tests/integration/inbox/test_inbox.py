"""Commands that other systems publish to NATS: each once, in order for its SKU, also when nobody was there."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nats
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import ChangePrice, CreateProduct
from daybook.commands.access import AddUser, GrantAccess, LockUser
from daybook.config import Settings
from daybook.errors import DaybookError, Forbidden, InvalidValue, NotFound, Refused
from daybook.events import AccessScope
from daybook.inbox.message import InboxMessage, message_of
from daybook.inbox.reader import InboxReader
from daybook.inbox.refused import RefusedInbox
from daybook.inbox.store import InboxStore
from daybook.inbox.taker import Corrector, InboxTaker
from daybook.log.pending import Context
from daybook.postgres.pool import fetch
from daybook.queries import waiting
from daybook.stream.feed import Delivered
from daybook.stream.subjects import INBOX_STREAM
from daybook.web.authorise import authorised
from tests.fixtures.pipeline import until
from tests.fixtures.waiting import until as until_true

ANN = Corrector("ann", lambda command: "dbk_ann/gr_ann")


class Desk:
    """A book with one sender, `erp`, and what it sends."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.store = InboxStore(app.pool)
        self.taker = InboxTaker(app.book, self.store, app.access.state, partial(authorised, app))
        self.refused = RefusedInbox(app.pool)
        self.sent = 0

    def do(self, *commands: Any) -> None:
        for one in commands:
            self.app.book.carry_out(one, Context.new("ann", "test"))

    def price(self, sku: str) -> str | None:
        product, _ = self.app.book.product(sku)
        assert product is not None
        found = product.prices.get("default", {}).get("EUR")
        return None if found is None else str(found)

    def send(self, *bodies: bytes, sender: str = "erp") -> list[Delivered]:
        made = []
        for one in bodies:
            self.sent += 1
            made.append(Delivered(self.sent, one, f"daybook-in.{sender}.x"))
        return made


def event(id: str, sku: str = "A", amount: str = "12.00", **more: Any) -> bytes:
    said = {"specversion": "1.0", "id": id, "source": "erp", "type": "change_price"}
    return json.dumps(said | {"data": {"sku": sku, "amount": amount, "currency": "EUR"}} | more).encode()


@pytest.fixture
def desk(database: str) -> Iterator[Desk]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([])) as app:
        made = Desk(app)
        made.do(
            CreateProduct(sku="A", kind="product"),
            CreateProduct(sku="B", kind="product"),
            AddUser(user="usr_erp", login="erp", kind="service", role="service", grant="gr_erp"),
        )
        yield made
        made.taker.close()


def test_what_was_sent_is_in_the_book_as_done_by_who_sent_it(desk: Desk) -> None:
    answers = desk.taker.take(desk.send(event("1", answerto="daybook-answer.erp.1")))

    (last,) = desk.app.reader.last(1)
    assert (last.sku, last.actor, last.source, last.access) == ("A", "erp", "inbox", "nats:erp/gr_erp")
    assert [(to, one.outcome, one.position) for to, one in answers] == [
        ("daybook-answer.erp.1", "taken", last.position)
    ]


def test_what_comes_again_is_taken_once_also_behind_newer_ones_and_also_when_it_changed_nothing(desk: Desk) -> None:
    first = desk.send(event("1", amount="10"), event("2", amount="10"), event("3", amount="12"))
    desk.taker.take(first)
    head = desk.app.reader.head()

    desk.taker.take(first)
    desk.taker.take(desk.send(event("2", amount="10"), event("1", amount="10")))

    assert desk.app.reader.head() == head and desk.price("A") == "1200"


def test_a_message_that_needs_one_sent_before_it_is_taken_after_it(desk: Desk) -> None:
    def described(id: str, sku: str, **fields: Any) -> bytes:
        said = {"specversion": "1.0", "id": id, "source": "erp", "type": "describe_product"}
        return json.dumps(said | {"data": {"sku": sku, **fields}}).encode()

    desk.taker.take(
        desk.send(
            event("1", "M"),
            described("2", "M", kind="model"),
            described("3", "V", kind="variant", parent="M"),
            event("4", "V"),
        )
    )

    assert desk.price("V") == "1200"
    assert [(one.sku, one.code) for one in desk.refused.page().messages] == [("M", "not_found")]


def test_what_is_refused_is_kept_seen_corrected_and_taken(desk: Desk) -> None:
    desk.taker.take(
        desk.send(
            event("1", "NOSUCH"),
            event("2", amount="12.345"),
            b"rubbish",
            event("3", type="add_user"),
            event("4"),
            event("5", sku="B"),
        )
    )
    found = desk.refused.page()
    assert [(one.sku, one.field) for one in found.messages] == [
        (None, "message"), (None, "type"), ("NOSUCH", None), ("A", "amount"),
    ]  # fmt: skip
    assert desk.price("A") == desk.price("B") == "1200"
    said = waiting.report(desk.app.pool, desk.app.registry)
    assert [(one.kind, one.count, one.next_step) for one in said.waiting if one.kind.startswith("inbox")] == [
        ("inbox_refused", 4, "daybook inbox list")
    ]

    number = found.messages[3].number
    with pytest.raises(InvalidValue, match="amount"):
        desk.refused.retry(desk.taker, number, ANN, anyway=True)
    with pytest.raises(Refused, match="later messages about A"):
        desk.refused.retry(desk.taker, number, ANN, {"sku": "A", "amount": "13.00", "currency": "EUR"})
    desk.refused.retry(desk.taker, number, ANN, {"sku": "A", "amount": "13.00", "currency": "EUR"}, anyway=True)
    assert desk.price("A") == "1300"
    (last,) = desk.app.reader.last(1)
    assert (last.actor, last.access) == ("ann", "dbk_ann/gr_ann"), "what is corrected is the word of who corrects it"
    assert "erp sent" in str(last.reason)

    desk.do(CreateProduct(sku="NOSUCH", kind="product"))
    desk.refused.retry(desk.taker, found.messages[2].number, ANN)
    assert desk.price("NOSUCH") == "1200"
    assert "rubbish" in str(desk.refused.show(found.messages[0].number).message)
    for one in found.messages[:2]:
        desk.refused.drop(one.number)
    assert desk.refused.page().messages == []
    with pytest.raises(NotFound):
        desk.refused.drop(found.messages[0].number)


def test_who_corrects_a_message_says_nothing_that_he_or_she_may_not_say(desk: Desk) -> None:
    def refuse(command: object) -> str | None:
        raise Forbidden("an editor changes no prices", permission="price.change")

    desk.taker.take(desk.send(event("1", amount="12.345")))
    (found,) = desk.refused.page().messages
    with pytest.raises(Forbidden):
        desk.refused.retry(
            desk.taker, found.number, Corrector("eve", refuse), {"sku": "A", "amount": "0.01", "currency": "EUR"}
        )
    assert desk.price("A") is None and len(desk.refused.page().messages) == 1


def test_what_was_refused_may_be_sent_once_more_and_leaves_the_list_when_it_is_taken(desk: Desk) -> None:
    desk.taker.take(desk.send(event("1", "LATER")))
    desk.do(CreateProduct(sku="LATER", kind="product"))

    desk.taker.take(desk.send(event("1", "LATER")))

    assert desk.price("LATER") == "1200" and desk.refused.page().messages == []


def test_a_sender_may_what_its_grants_say_now(desk: Desk) -> None:
    desk.do(
        AddUser(user="usr_pim", login="pim", kind="service"),
        GrantAccess(user="pim", grant="gr_pim", role="merchandiser", scope=AccessScope(price_lists=("b2b",))),
    )
    desk.taker.take(desk.send(event("1"), sender="pim"))
    desk.taker.take(desk.send(event("1"), sender="nobody"))
    desk.do(LockUser(user="erp"))
    until_true(lambda: desk.app.access.state().users["usr_erp"].locked_at, "the lock is known")
    desk.taker.take(desk.send(event("1"), sender="erp"))

    assert desk.price("A") is None
    reasons = [(one.sender, one.code, one.reason) for one in desk.refused.page().messages]
    assert [(sender, code) for sender, code, _ in reasons] == [
        ("pim", "forbidden"), ("nobody", "forbidden"), ("erp", "forbidden"),
    ]  # fmt: skip
    assert "price lists b2b" in reasons[0][2] and "no user nobody" in reasons[1][2] and "locked" in reasons[2][2]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 3)), min_size=1, max_size=10),
    st.lists(st.integers(1, 4), max_size=6),
)
def test_whatever_is_given_again_after_a_cut_the_last_word_about_each_sku_stands(
    desk: Desk, sent: list[tuple[str, int]], cuts: list[int]
) -> None:
    run = desk.sent
    page = desk.send(*(event(f"{run}-{n}", sku, f"{amount}.00") for n, (sku, amount) in enumerate(sent)))
    start = 0
    for cut in cuts:  # a process that dies after `cut` messages has not said how far it came
        desk.taker.take(page[start : start + cut])
        start = max(0, start + cut - 2)
    desk.taker.take(page[start:])

    for sku in {sku for sku, _ in sent}:
        amount = [amount for one, amount in sent if one == sku][-1]
        assert desk.price(sku) == f"{amount}00"


@asynccontextmanager
async def reading(desk: Desk, dsn: str, url: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    taker = InboxTaker(desk.app.book, desk.store, desk.app.access.state, partial(authorised, desk.app))
    running = asyncio.create_task(InboxReader(dsn, url, desk.store, taker).run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


def price_is(desk: Desk, sku: str, price: str) -> Callable[[], bool]:
    return lambda: desk.price(sku) == price


async def test_what_was_published_while_nobody_was_there_is_taken_when_somebody_is_and_answered(
    desk: Desk, database: str, nats_url: str
) -> None:
    client = await nats.connect(nats_url)
    try:
        async with reading(desk, database, nats_url):
            await until(lambda: desk.store.position()[0] is not None, "the stream is made")
        answers = await client.subscribe("daybook-answer.erp.>")
        jetstream = client.jetstream()
        for number in range(1, 31):
            body = event(str(number), "AB"[number % 2], f"{number}.00", answerto=f"daybook-answer.erp.{number}")
            await jetstream.publish("daybook-in.erp.prices", body)
        assert desk.price("A") is None

        async with reading(desk, database, nats_url), reading(desk, database, nats_url):
            await until(lambda: desk.store.position()[1] == 30, "all are decided on")
            told = [json.loads((await answers.next_msg(timeout=20)).data) for _ in range(30)]

        assert (desk.price("A"), desk.price("B")) == ("3000", "2900")
        assert {one["outcome"] for one in told} == {"taken"} and {one["id"] for one in told} == {
            str(number) for number in range(1, 31)
        }

        await jetstream.delete_stream(INBOX_STREAM)
        async with reading(desk, database, nats_url):
            await until(lambda: desk.store.position()[1] == 0, "the new stream is read from its beginning")
            await jetstream.publish("daybook-in.erp.prices", event("29", "A", "29.00"))
            await jetstream.publish("daybook-in.erp.prices", event("31", "B", "31.00"))
            await until(price_is(desk, "B", "3100"), "what is new is taken")
        assert desk.price("A") == "3000", "what was decided on once is not decided on again"
    finally:
        await client.close()


def test_a_reader_that_went_away_is_told(desk: Desk) -> None:
    (made,) = fetch(desk.app.pool, "SELECT clock_timestamp() - interval '2 minutes'")[0]
    desk.store.move(made, 5)
    with desk.app.pool.connection() as conn:
        conn.execute("UPDATE inbox_position SET noted_at = clock_timestamp() - interval '2 minutes'")

    items = waiting.report(desk.app.pool, desk.app.registry).waiting

    assert [(one.kind, one.next_step) for one in items if one.kind == "inbox_unread"] == [
        ("inbox_unread", "daybook run intake")
    ]


def test_the_domains_errors_are_all_kept_and_none_stops_the_inbox(desk: Desk) -> None:
    desk.do(ChangePrice(sku="A", amount="9.00", currency="EUR"))
    with pytest.raises(DaybookError):
        desk.taker.carry_out(message("1", "GONE"))
    desk.taker.take(desk.send(event("1", "GONE"), event("1", "A", "10.00"), event("2", "A", "11.00")))
    assert desk.price("A") == "1100"


def message(id: str, sku: str) -> InboxMessage:
    return message_of(1, "erp", event(id, sku))
