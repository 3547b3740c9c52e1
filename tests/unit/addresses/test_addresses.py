"""Addresses of servers: what is special in a password is decoded, or refused in words that hold none of it."""

import pytest

from daybook.addresses import NatsServers, check_postgres, nats_servers
from daybook.config import from_environment
from daybook.errors import BadConfiguration

SECRET = "s3cret"
UNENCODED = ["#", "/", "?", "@", "%", " ", "%zz", "[", "\n"]


@pytest.mark.parametrize("odd", UNENCODED)
@pytest.mark.parametrize("part", [f"{SECRET}{{}}tail", f"12{{}}{SECRET}", f"{{}}{SECRET}"])
@pytest.mark.parametrize(
    ("variable", "address"),
    [("DAYBOOK_NATS", "nats://ada:{}@bus:4222"), ("DAYBOOK_POSTGRES", "postgresql://ada:{}@db:5432/book")],
)
def test_a_password_with_an_unencoded_character_is_refused_and_no_part_of_it_is_told(
    variable: str, address: str, part: str, odd: str
) -> None:
    with pytest.raises(BadConfiguration, match=f"{variable} can't be read .* percent-encoded") as caught:
        from_environment({variable: address.format(part.format(odd))})
    assert SECRET not in str(caught.value) and "tail" not in str(caught.value)
    assert caught.value.details == {"field": variable}


def test_a_percent_encoded_password_is_decoded() -> None:
    assert nats_servers("N", "nats://ada%40home:p%23%2F%3F%40%25+w@bus:4222") == NatsServers(
        urls=("nats://bus:4222",), user="ada@home", password="p#/?@%+w"
    )
    assert nats_servers("N", "nats://t%23ken@bus") == NatsServers(urls=("nats://bus",), token="t#ken")


@pytest.mark.parametrize(
    ("address", "urls"),
    [
        ("nats://127.0.0.1:4222", ("nats://127.0.0.1:4222",)),
        ("bus", ("nats://bus",)),
        ("bus:4222", ("nats://bus:4222",)),
        ("nats://[::1]:4222", ("nats://[::1]:4222",)),
        ("tls://bus.example:4222", ("tls://bus.example:4222",)),
        ("wss://bus.example:443/nats", ("wss://bus.example:443/nats",)),
        ("nats://one:4222,two:4222", ("nats://one:4222", "nats://two:4222")),
    ],
)
def test_an_address_without_a_secret_is_taken_as_it_is(address: str, urls: tuple[str, ...]) -> None:
    assert nats_servers("N", address) == NatsServers(urls=urls)


def test_several_servers_share_what_one_of_them_says_of_the_account() -> None:
    assert nats_servers("N", "nats://ada:s3@one:4222,nats://two:4222") == NatsServers(
        urls=("nats://one:4222", "nats://two:4222"), user="ada", password="s3", inbox="_INBOX.ada"
    )


@pytest.mark.parametrize(
    "address", ["nats://ada:p,w@bus", "nats://ada:12,w@bus", "nats://bus:port", "nats://bus:4222,"]
)
def test_what_is_rather_a_comma_in_a_password_or_no_port_is_refused(address: str) -> None:
    with pytest.raises(BadConfiguration, match=r"can't be read|names no host"):
        nats_servers("DAYBOOK_NATS", address)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ada:p%23w@db:5432/book",
        "postgresql://postgres@/daybook?host=/run/pg&port=5432",
        "postgresql://db/book?user=ada@home&password=s3cret&port=1",
        "postgres://one:5432,two:5432/book?target_session_attrs=read-write",
        "postgresql://%2Frun%2Fpg/book",
        "postgresql:///book",
        "postgresql://ada:s3cret@db?sslmode=require&options=-c%20geqo%3Doff",
        "host=db user=ada password='p#w %'",
    ],
)
def test_every_form_of_a_connection_string_is_taken(address: str) -> None:
    check_postgres("DAYBOOK_POSTGRES", address)
    assert from_environment({"DAYBOOK_POSTGRES": address}).postgres == address


@pytest.mark.parametrize(("variable", "address"), [("DAYBOOK_NATS", "http://x"), ("DAYBOOK_POSTGRES", "mysql://x")])
def test_an_address_of_another_kind_is_refused_with_the_kind_that_is_wanted(variable: str, address: str) -> None:
    with pytest.raises(BadConfiguration, match=f"{variable} must begin with (nats|postgresql)://"):
        from_environment({variable: address})
