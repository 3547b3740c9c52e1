"""What is refused before a route is reached: foreign hosts, aliases of addresses, encodings, and too much at once."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from daybook.http_settings import HttpSettings
from daybook.server.admission import HEADERS_MAX
from tests.fixtures.owner import SHOWN
from tests.fixtures.served import served

LIVE = "/health/live"
JSON = {"Content-Type": "application/json"}
KEY = f"Authorization: {SHOWN['Authorization']}\r\n"


@pytest.fixture
def port(database: str) -> Iterator[int]:
    with served(database, HttpSettings(hosts=("*.shop.example",), address="https://catalogue.example")) as port:
        yield port


def raw(port: int, text: str, source: str = "127.0.0.1") -> tuple[int, str]:
    """The status and the whole of the answer to what is written as it is."""
    with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0)) as client:
        client.sendall(text.encode("latin-1"))
        answer = b"".join(iter(lambda: client.recv(65536), b"")).decode("latin-1")
    return int(answer.split(" ")[1]), answer


def get(port: int, path: str = LIVE, host: str = "localhost", more: str = "", source: str = "127.0.0.1") -> int:
    return raw(port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n", source)[0]


OURS = (
    *("localhost", "LocalHost:8080", "localhost.", "127.0.0.1", "127.0.0.1:1", "10.1.2.3", "[::1]:8080", "[fe80::1]"),
    *("catalogue.example", "catalogue.example:443", "a.shop.example", "a.b.shop.example."),
)
STRANGERS = (
    *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "shop.example", "evilshop.example", ""),
    *("evil.example:8080", "catalogue.example.evil", "localhost@evil.example", "[::1].evil.example", "[evil.example]"),
)


def test_only_a_host_that_means_us_is_answered(port: int) -> None:
    """Else a stranger's page could let its own name point here, and have its visitors' browsers do the rest."""
    assert {host: get(port, host=host) for host in OURS} == dict.fromkeys(OURS, 200)
    assert {host: get(port, host=host) for host in STRANGERS} == dict.fromkeys(STRANGERS, 421)
    status, answer = raw(port, "GET /api/v1/products HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert (status, "urn:daybook:problem:misdirected" in answer, "DAYBOOK_HTTP_HOSTS" in answer) == (421, True, True)


def test_an_address_in_the_request_line_does_not_go_around_the_host(port: int) -> None:
    assert get(port, path=f"http://evil.example{LIVE}") == 404
    assert raw(port, f"GET {LIVE} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")[0] == 400


ALIASES = (
    *("//health/live", "/health//live", "/health/live/", "/health%2Flive", "/health%2flive", "/./health/live"),
    *("/health/../health/live", "/health/%2e%2E/health/live", "/health\\live", "/health%5Clive", "/api/v1/products/"),
    *("/api/v1/products/A-1%2Fhistory", "/api/v1/products/A-1/", "/api/v1//products", "/schema/", "/health/live%00"),
)


def test_an_address_has_one_form_and_no_other_reaches_its_route(port: int) -> None:
    assert {path: get(port, path) for path in ALIASES} == dict.fromkeys(ALIASES, 404)
    for path in ("/health/live", "/schema", "/schema/openapi.json"):
        assert get(port, path) == 200, path
    assert get(port, "/api/v1/products?after=a%2Fb//../", more=KEY) == 422
    assert get(port, "/") in (301, 302, 307)


def test_a_body_that_is_packed_is_refused_unread(port: int) -> None:
    for encoding, status in (("gzip", 415), ("br", 415), ("gzip, gzip", 415), ("identity", 400)):
        request = (
            f"PUT /api/v1/products/A HTTP/1.1\r\nHost: localhost\r\n{KEY}Content-Type: application/json\r\n"
            f"Content-Encoding: {encoding}\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{{x}}"
        )
        assert raw(port, request)[0] == status, encoding
    assert get(port, more="Transfer-Encoding: gzip\r\n") in (400, 501)


def test_headers_beyond_a_number_or_a_size_are_refused_as_a_problem(port: int) -> None:
    many = "".join(f"x-{number}: y\r\n" for number in range(HEADERS_MAX))
    assert get(port, more=many) == 431
    assert get(port, more=f"x: {'y' * 100_000}\r\n") in (400, 431)
    status, answer = raw(port, f"GET {LIVE} HTTP/1.1\r\nHost: localhost\r\nx: {'y' * 70_000}")
    assert (status, "application/problem+json" in answer) == (400, True)
    status, answer = raw(port, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    assert (status, "application/problem+json" in answer) == (400, True)


def test_every_answer_has_the_headers_of_a_careful_application_and_none_that_opens_it(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=SHOWN) as client:
        answers = {
            "a refusal": client.get(LIVE, headers={"Host": "evil.example"}),
            "a page": client.get("/schema"),
            "an answer": client.get("/api/v1/products", headers={"Origin": "https://evil.example"}),
            "a preflight": client.options("/api/v1/products", headers={"Origin": "https://evil.example"}),
            "a problem": client.get("/nowhere"),
        }
        tagged = client.put("/api/v1/products/A", json={"sku": "A", "kind": "product"})
        answers["a product"] = client.get("/api/v1/products/A")
    assert tagged.status_code == 201
    for what, answer in answers.items():
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff", what
        assert headers["x-frame-options"] == "DENY", what
        assert headers["referrer-policy"] == "no-referrer", what
        assert "frame-ancestors 'none'" in headers["content-security-policy"], what
        assert headers["cache-control"] in ("no-store", "no-cache"), what
        opened = [one for one in headers if one.startswith("access-control") or one in ("set-cookie", "server")]
        assert opened == [], what
    assert answers["a product"].headers["cache-control"] == "no-cache"


def test_pages_of_other_origins_may_call_only_when_they_are_named(database: str) -> None:
    origins = ("https://console.example",)
    with (
        served(database, HttpSettings(origins=origins)) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        mine = client.get(LIVE, headers={"Origin": origins[0]})
        other = client.get(LIVE, headers={"Origin": "https://evil.example"})
    assert mine.headers["access-control-allow-origin"] == origins[0]
    assert "access-control-allow-credentials" not in mine.headers
    assert "access-control-allow-origin" not in other.headers


def test_who_sends_too_fast_is_told_when_to_come_again_and_others_are_served(database: str) -> None:
    with served(database, HttpSettings(rate=1)) as port:
        assert [get(port), get(port), get(port)] == [200, 200, 429]
        status, answer = raw(port, f"GET {LIVE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (status, "retry-after: 1" in answer.lower()) == (429, True)
        assert "urn:daybook:problem:too_many_requests" in answer
        assert get(port, source="127.0.0.2") == 200


def test_who_has_too_many_requests_under_way_waits_and_others_are_served(database: str) -> None:
    begun = f"PUT /api/v1/products/A HTTP/1.1\r\nHost: x\r\n{KEY}Content-Type: application/json\r\n"
    begun += "Content-Length: 9\r\n\r\n{"
    with (
        served(database, HttpSettings(concurrent=1, hosts=("x",))) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as first,
    ):
        first.sendall(begun.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n").encode())
        assert b"100 Continue" in first.recv(1000)
        assert get(port) == 429
        assert get(port, source="127.0.0.2") == 200
        first.sendall(b"}      }")
        assert first.recv(1000)
        assert get(port) == 200


def test_what_a_proxy_says_of_its_client_is_believed_only_of_those_that_are_named(database: str) -> None:
    limit = HttpSettings(rate=1)
    for proxies, last in (((), 429), (("127.0.0.0/8",), 200)):
        with served(database, HttpSettings(rate=limit.rate, proxies=proxies)) as port:
            found = [get(port, more=f"X-Forwarded-For: 198.51.100.{number}\r\n") for number in range(3)]
        assert found == [200, 200, last], proxies


def test_a_key_that_is_used_from_many_addresses_has_one_limit_and_a_stranger_takes_nothing_of_it(
    database: str,
) -> None:
    def ask(port: int, source: str, **headers: str) -> int:
        transport = httpx.HTTPTransport(local_address=source)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, headers=headers) as client:
            answer = client.get("/api/v1/products")
        assert (answer.status_code == 429) == ("retry-after" in answer.headers)
        return answer.status_code

    with served(database, HttpSettings(rate=1)) as port:
        wrong = SHOWN["Authorization"][:-1]
        assert {ask(port, f"127.0.1.{n}", Authorization=wrong) for n in range(1, 9)} == {401}
        assert [ask(port, f"127.0.0.{n}", **SHOWN) for n in (1, 2)] == [200, 200]
        assert 429 in (ask(port, f"127.0.0.{n}", **SHOWN) for n in range(3, 60))
