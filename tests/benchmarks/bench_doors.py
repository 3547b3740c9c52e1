"""What it costs to know who asks and whether they may: a check in memory, a request, and an append over HTTP.

What a request costs more is taken from one that is given to the application itself, without a socket, so that nothing
blurs the difference: the same route, on the same log, asked in turn with and without a key, in processor time, as other
processes take theirs. What that takes off the API's throughput is its share of all the processor time that the server
uses for such a request when it comes over a connection that stays open, as a client's do.
"""

import asyncio
import gc
import http.client
import multiprocessing
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute

from daybook.access.authority import Principal, authenticate, decide, principal_of
from daybook.access.keys import parse
from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import ChangePrice, CreateProduct
from daybook.config import Settings
from daybook.events import AccessScope
from daybook.http.application import create
from daybook.identity.bearer import BearerTokens
from daybook.log.pending import Context
from daybook.oidc_settings import OidcProvider
from daybook.server.api_server import ApiServer
from daybook.web.authorise import authorised
from daybook.web.needs import OPT, Needs
from tests.benchmarks.bench_pipeline import cpu
from tests.benchmarks.databases import database, server
from tests.benchmarks.report import Figure, arguments, report
from tests.fixtures.identity_provider import AUDIENCE, identity_provider
from tests.fixtures.owner import OWNER_KEY, SHOWN, owned, state_of

CHECK_MICROSECONDS_MAX = 50.0
SHARE_MAX = 5.0
ROUNDS, QUICK_ROUNDS = 15, 3
CALLS, QUICK_CALLS = 200, 20


def main() -> None:
    """Measures and prints."""
    given = arguments("What knowing who asks costs").parse_args()
    rounds, calls = (QUICK_ROUNDS, QUICK_CALLS) if given.quick else (ROUNDS, CALLS)
    with (
        server() as on,
        database(on, "doors") as dsn,
        App(Settings(data=Path("unused"), postgres=dsn), Registry([])) as app,
    ):
        app.book.carry_out(CreateProduct(sku="A"), Context.new("bench", "bench"))
        served = _served(dsn, calls * rounds)
        figures = [
            *_checks(calls * 50),
            *asyncio.run(_tokens(calls * 50, calls)),
            *asyncio.run(_requests(owned(app), rounds, calls, served)),
            _append(app, calls),
        ]
    report("What knowing who asks costs", figures, given.json)


def _checks(times: int) -> list[Figure]:
    shown, now = parse(OWNER_KEY), datetime.now(UTC)
    assert shown is not None
    owner = state_of()
    narrow = state_of("merchandiser", [AccessScope(categories=(f"c{n}",), price_lists=("retail",)) for n in range(20)])
    touched = {"price_lists": frozenset({"retail"}), "categories": frozenset({"c19"})}
    (user,) = narrow.users.values()
    principal = principal_of(user)

    def whole() -> None:
        found = authenticate(owner, shown, now)
        assert isinstance(found, Principal)
        decide(found, "price.change", touched)

    return [
        Figure(
            "a check: key and permission, an owner",
            _microseconds(whole, times),
            "µs",
            CHECK_MICROSECONDS_MAX,
            at_most=True,
        ),
        Figure(
            "a check of the permission alone, the last of 20 narrow grants",
            _microseconds(lambda: decide(principal, "price.change", touched), times),
            "µs",
            CHECK_MICROSECONDS_MAX,
            at_most=True,
        ),
    ]


async def _tokens(known: int, new: int) -> list[Figure]:
    """Of an identity provider: one that is known by its hash, and ones that are checked for the first time."""
    with identity_provider() as issuer:
        settings = OidcProvider(name="bench", issuer=issuer.issuer, audiences=(AUDIENCE,))
        tokens, shown = BearerTokens([settings]), issuer.token()
        others = [issuer.token(jti=str(number)) for number in range(new)]
        await tokens.subject(shown)
        times = []
        for asked in ([shown] * known, others):
            started = time.perf_counter()
            for text in asked:
                await tokens.subject(text)
            times.append((time.perf_counter() - started) / len(asked) * 1e6)
    return [
        Figure("a token that was checked before", times[0], "µs", CHECK_MICROSECONDS_MAX, at_most=True),
        Figure("a token that was not, RS256", times[1], "µs"),
    ]


def _microseconds(call: Callable[[], object], times: int) -> float:
    gc.collect()
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) / times * 1e6


def _serve(dsn: str, port: int) -> None:
    """(inside) Is the API's server until it is ended."""
    settings = Settings(data=Path("unused"), postgres=dsn, http_port=port)
    with App(settings, Registry([])) as app:
        ApiServer(create(owned(app)), settings).run()


def _served(dsn: str, calls: int) -> float:
    """Microseconds of processor time that the server uses for a request over an open connection."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(dsn, port), daemon=True)
    server.start()
    assert server.pid is not None
    try:
        client = _connected(port)
        for _ in range(calls // 10):
            _answered(client)
        before = cpu(server.pid)
        for _ in range(calls):
            _answered(client)
        return (cpu(server.pid) - before) / calls * 1e6
    finally:
        server.terminate()
        server.join(30)


def _connected(port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 60
    while True:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            client.connect()
            return client
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _answered(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/api/v1/events?limit=1", headers=SHOWN)
    answer = client.getresponse()
    answer.read()
    assert answer.status == 200, answer.status


async def _requests(app: App, rounds: int, calls: int, served: float) -> list[Figure]:
    """The log's first event, asked with and without a key."""
    asking, open_ = create(app), create(app)
    _open(open_, "list_events")
    with_key, without = [], []
    for _ in range(rounds):
        without.append(await _round(open_, calls))
        with_key.append(await _round(asking, calls))
    extra = median(with_key) - median(without)
    return [
        Figure("a request that reads one event, without a socket", median(with_key), "µs", baseline=median(without)),
        Figure("what knowing who asks adds to it", extra, "µs", CHECK_MICROSECONDS_MAX, at_most=True),
        Figure("processor time of the server for it, over a connection", served, "µs"),
        Figure("what of that goes into knowing who asks", extra / served * 100, "%", SHARE_MAX, at_most=True),
    ]


def _open(application: Litestar, name: str) -> None:
    for route in application.routes:
        if isinstance(route, HTTPRoute):
            for handler, _ in route.route_handler_map.values():
                if handler.handler_name == name:
                    handler.opt[OPT] = Needs(permissions=(), open=True)


async def _round(application: Any, calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        await _ask(application)
    return (time.process_time() - started) / calls * 1e6


async def _ask(application: Any) -> None:
    answered: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/v1/events",
        "raw_path": b"/api/v1/events",
        "root_path": "",
        "query_string": b"limit=1",
        "headers": [(b"host", b"localhost"), (b"authorization", SHOWN["Authorization"].encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await application(scope, receive, send)
    assert answered == [200], answered


def _append(app: App, calls: int) -> Figure:
    """A price change with what allows it decided first; the baseline is the price change alone."""
    (user,) = state_of().users.values()
    principal = principal_of(user, "dbk_testowner2")
    numbers = iter(range(1, 10**9))

    def wish() -> ChangePrice:
        return ChangePrice(sku="A", amount=f"{next(numbers)}.00", currency="EUR")

    def plain() -> None:
        app.book.carry_out(wish(), Context.new("bench", "bench"))

    def asked() -> None:
        command = wish()
        context = Context.new("bench", "bench")
        app.book.carry_out(command, msgspec.structs.replace(context, access=authorised(app, principal, command)))

    times: dict[Any, list[float]] = {plain: [], asked: []}
    for _ in range(10):
        for call, found in times.items():
            found.append(_microseconds(call, max(calls // 4, 5)))
    return Figure("an append over HTTP, allowed first", median(times[asked]), "µs", baseline=median(times[plain]))


if __name__ == "__main__":
    main()
