"""Settings: where each comes from, what is refused, and that no secret is shown."""

import logging
from pathlib import Path

import pytest

from daybook.addresses import mask
from daybook.config import Settings, from_environment, hide
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of channels' files, with one of its own for each value as containers have them."""
    file = tmp_path / "east.toml"
    file.touch(mode=0o600)
    file.write_text('url = "https://file.example"\nsecret = "of-the-file"\nretries = 3\nallow_http = true\n')
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text("of-the-value-file\n")
    return tmp_path


def test_a_connection_is_what_was_recorded_unless_files_say_otherwise_unless_variables_do(folder: Path) -> None:
    settings = from_environment(
        {
            "DAYBOOK_CHANNELS": str(folder),
            "DAYBOOK_CHANNEL_EAST_TOKEN_FILE": str(folder / "token"),
            "DAYBOOK_CHANNEL_EAST_SECRET": "of-the-variable",
        }
    )

    assert settings.connection("east", {"url": "https://recorded.example", "zone": "recorded"}) == {
        "url": "https://file.example",
        "zone": "recorded",
        "secret": "of-the-variable",
        "token": "of-the-value-file",
        "retries": "3",
        "allow_http": "true",
    }
    assert settings.connection("west", {"zone": "recorded"}) == {"zone": "recorded"}


def test_a_file_is_read_anew_each_time_so_that_one_may_come_later(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, channels_folder=tmp_path)
    assert settings.connection("east", {}) == {}
    (tmp_path / "east.toml").write_text('key = "now"')
    assert settings.connection("east", {}) == {"key": "now"}


@pytest.mark.parametrize(
    "text", ['secret = "s3cret', "secret = s3cret", "s3cret", '[secret]\nof = "s3cret"', "\x00s3cret"]
)
def test_a_file_that_makes_no_sense_is_named_and_what_it_holds_is_not_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "east.toml").write_text(text)
    with pytest.raises(BadConfiguration, match=r"east\.toml") as caught:
        Settings(data=tmp_path, channels_folder=tmp_path).connection("east", {})
    assert "s3cret" not in str(caught.value) and caught.value.__cause__ is None


def test_a_file_that_is_named_and_not_there_or_too_large_is_an_error_that_names_it(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, channel_files={"east": {"key": tmp_path / "gone"}})
    with pytest.raises(BadConfiguration, match=r"gone can't be read: No such file"):
        settings.connection("east", {})
    (tmp_path / "gone").write_bytes(b"x" * 100_000)
    with pytest.raises(BadConfiguration, match="too large"):
        settings.connection("east", {})


def test_who_leaves_a_credential_open_to_others_is_warned_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "east.toml"
    file.write_text('secret = "s3cret"')
    settings = Settings(data=tmp_path, channels_folder=tmp_path)
    for mode in (0o600, 0o644, 0o644):
        file.chmod(mode)
        with caplog.at_level(logging.WARNING, "daybook.config"):
            settings.connection("east", {})
    assert [record.getMessage() for record in caplog.records] == [
        f"{file} can be read by others: `chmod 600 {file}` keeps its credentials to its owner"
    ]


def test_files_are_shown_by_name_only(folder: Path) -> None:
    shown = from_environment(
        {"DAYBOOK_CHANNELS": str(folder), "DAYBOOK_CHANNEL_EAST_TOKEN_FILE": str(folder / "token")}
    ).shown()

    assert shown["channels_folder"] == str(folder)
    assert shown["channel_files"] == {"east": {"token": str(folder / "token")}}
    assert "of-the" not in str(shown)


def test_what_a_library_says_is_hidden_where_it_repeats_a_value_of_the_connection() -> None:
    connection = {"url": "https://a:s3cret@east.example", "secret": "whsec_abc", "flag": "true"}
    said = hide("bad whsec_abc for https://a:s3cret@east.example, true", connection)
    assert said == "bad ******** for https://a:********@east.example, true"


def test_where_a_value_belongs_is_told_with_the_folder_when_there_is_one(tmp_path: Path) -> None:
    assert Settings(data=tmp_path).place_of("east", "key") == (
        "DAYBOOK_CHANNEL_EAST_KEY, or DAYBOOK_CHANNEL_EAST_KEY_FILE with the name of a file that holds it"
    )
    assert Settings(data=tmp_path, channels_folder=tmp_path).place_of("east", "key") == (
        f"DAYBOOK_CHANNEL_EAST_KEY, or `key` in {tmp_path / 'east.toml'}"
    )
