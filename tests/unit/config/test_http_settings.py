"""What the HTTP edge lets in, from the environment."""

import pytest

from daybook.config import from_environment
from daybook.errors import BadConfiguration
from daybook.http_settings import HttpSettings


def test_nothing_said_is_the_careful_default() -> None:
    assert from_environment({}).http == HttpSettings()
    assert (HttpSettings().hosts, HttpSettings().origins, HttpSettings().proxies) == ((), (), ())


def test_lists_and_numbers_are_read() -> None:
    found = from_environment(
        {
            "DAYBOOK_HTTP_HOSTS": "Catalogue.example, *.shop.example,",
            "DAYBOOK_HTTP_PROXIES": "10.0.0.0/8,192.0.2.1",
            "DAYBOOK_HTTP_ORIGINS": "https://console.example",
            "DAYBOOK_HTTP_RATE": "5",
            "DAYBOOK_HTTP_CONCURRENT": "6",
            "DAYBOOK_HTTP_CONNECTIONS": "7",
            "DAYBOOK_HTTP_BODY": "8",
        }
    ).http
    assert found == HttpSettings(
        hosts=("catalogue.example", "*.shop.example"),
        proxies=("10.0.0.0/8", "192.0.2.1/32"),
        origins=("https://console.example",),
        rate=5,
        concurrent=6,
        connections=7,
        body_bytes=8,
    )


@pytest.mark.parametrize(
    ("given", "address", "host"),
    [
        ("https://Catalogue.example", "https://catalogue.example", "catalogue.example"),
        ("https://catalogue.example:443", "https://catalogue.example", "catalogue.example"),
        ("https://catalogue.example:8443", "https://catalogue.example:8443", "catalogue.example"),
        ("http://localhost:8080", "http://localhost:8080", "localhost"),
        ("http://127.0.0.1:80", "http://127.0.0.1", "127.0.0.1"),
    ],
)
def test_the_address_of_browsers_is_an_origin_as_they_write_it(given: str, address: str, host: str) -> None:
    found = from_environment({"DAYBOOK_HTTP_ADDRESS": given, "DAYBOOK_SESSION_HOURS": "1"}).http
    assert (found.address, found.own_hosts, found.session_hours) == (address, (host,), 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAYBOOK_HTTP_HOSTS", "https://shop.example"),
        ("DAYBOOK_HTTP_HOSTS", "shop.example:443"),
        ("DAYBOOK_HTTP_HOSTS", "shop example"),
        ("DAYBOOK_HTTP_PROXIES", "proxy.example"),
        ("DAYBOOK_HTTP_PROXIES", "10.0.0.1/8"),
        ("DAYBOOK_HTTP_ORIGINS", "*"),
        ("DAYBOOK_HTTP_ORIGINS", "https://a.example/path"),
        ("DAYBOOK_HTTP_ADDRESS", "catalogue.example"),
        ("DAYBOOK_HTTP_ADDRESS", "http://catalogue.example"),
        ("DAYBOOK_HTTP_ADDRESS", "https://catalogue.example/"),
        ("DAYBOOK_HTTP_ADDRESS", "https://catalogue.example/daybook"),
        ("DAYBOOK_HTTP_ADDRESS", "https://a:b@catalogue.example"),
        ("DAYBOOK_HTTP_ADDRESS", "https://catalogue.example:x"),
        ("DAYBOOK_HTTP_ADDRESS", "https://[::1"),
        ("DAYBOOK_SESSION_HOURS", "0"),
        ("DAYBOOK_SESSION_IDLE_MINUTES", "100000"),
        ("DAYBOOK_HTTP_RATE", "0"),
        ("DAYBOOK_HTTP_CONCURRENT", "-1"),
        ("DAYBOOK_HTTP_CONNECTIONS", "many"),
        ("DAYBOOK_HTTP_BODY", "999999999"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(BadConfiguration, match=name):
        from_environment({name: value})
