"""Settings: where each comes from, what is refused, and that no secret is shown."""

from pathlib import Path

import pytest

from daybook.config import Settings, from_environment, mask
from daybook.errors import BadConfiguration


def test_with_nothing_set_the_data_is_in_the_users_folder_and_no_server_is_named() -> None:
    settings = from_environment({"HOME": "/home/ada"})

    assert settings.data == Path("/home/ada/.local/share/daybook")
    assert (settings.postgres, settings.nats) == (None, None)
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8080)


def test_the_option_beats_the_variable_and_the_variable_the_default() -> None:
    environ = {"HOME": "/home/ada", "XDG_DATA_HOME": "/xdg"}

    assert from_environment(environ).data == Path("/xdg/daybook")
    assert from_environment(environ | {"DAYBOOK_DATA": "/srv/book"}).data == Path("/srv/book")
    assert from_environment(environ | {"DAYBOOK_DATA": "/srv/book"}, Path("/opt")).data == Path("/opt")


def test_servers_and_address_come_from_the_environment() -> None:
    settings = from_environment(
        {
            "DAYBOOK_POSTGRES": "postgresql://db/book",
            "DAYBOOK_NATS": "nats://bus:4222",
            "DAYBOOK_HTTP_HOST": "0.0.0.0",
            "DAYBOOK_HTTP_PORT": "0",
        }
    )

    assert settings.require_postgres() == "postgresql://db/book"
    assert settings.require_nats() == "nats://bus:4222"
    assert (settings.http_host, settings.http_port) == ("0.0.0.0", 0)


def test_an_empty_variable_is_no_server() -> None:
    settings = from_environment({"DAYBOOK_POSTGRES": "", "DAYBOOK_NATS": ""})

    with pytest.raises(BadConfiguration, match="DAYBOOK_POSTGRES"):
        settings.require_postgres()
    with pytest.raises(BadConfiguration, match="DAYBOOK_NATS"):
        settings.require_nats()


def test_each_channel_gets_what_its_variables_say() -> None:
    settings = from_environment(
        {
            "DAYBOOK_CHANNEL_EAST_URL": "https://east.example",
            "DAYBOOK_CHANNEL_EAST_CLIENT_SECRET": "s3",
            "DAYBOOK_CHANNEL_WEST_URL": "https://west.example",
            "DAYBOOK_CHANNEL_": "ignored",
            "CHANNEL_EAST_URL": "ignored",
        }
    )

    assert settings.channels == {
        "east": {"url": "https://east.example", "client_secret": "s3"},
        "west": {"url": "https://west.example"},
    }


@pytest.mark.parametrize("port", ["", "-1", "65536", "80.0", "http", "²", "８０", " 80", "1" * 5000])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(BadConfiguration, match="DAYBOOK_HTTP_PORT"):
        from_environment({"DAYBOOK_HTTP_PORT": port})


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://ada:s3cret@db:5432/book", "postgresql://ada:********@db:5432/book"),
        ("postgresql://ada@db:5432/book", "postgresql://ada@db:5432/book"),
        (
            "postgresql://postgres@/daybook?host=/run/pg&port=5432",
            "postgresql://postgres@/daybook?host=/run/pg&port=5432",
        ),
        (
            "postgresql://db/book?user=ada&password=s3cret&port=1",
            "postgresql://db/book?user=ada&password=********&port=1",
        ),
        ("host=db password=s3cret user=ada", "host=db password=******** user=ada"),
        ("host=db password='s3 cr\\'et' user=ada", "host=db password=******** user=ada"),
        ("host=db sslpassword=s3cret", "host=db sslpassword=********"),
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
        ("nats://s3token@bus:4222", "nats://********@bus:4222"),
        ("nats://a:s3@one:4222,nats://b:s4@two:4222", "nats://a:********@one:4222,nats://b:********@two:4222"),
        (None, None),
    ],
)
def test_an_address_is_shown_without_its_secret_and_otherwise_as_it_is(given: str | None, shown: str | None) -> None:
    assert mask(given) == shown


def test_no_secret_is_among_the_settings_that_are_shown() -> None:
    settings = Settings(
        data=Path("/srv"),
        postgres="postgresql://ada:s3cret@db/book",
        nats="nats://s3cret@bus",
        channels={"east": {"url": "https://ada:s3cret@east.example/v1", "key": "s3cret"}},
    )

    shown = settings.shown()

    assert "s3cret" not in str(shown)
    assert shown["data"] == "/srv"
    assert shown["channels"] == {"east": {"url": "https://ada:********@east.example/v1", "key": "********"}}
