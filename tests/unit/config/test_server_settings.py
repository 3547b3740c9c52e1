"""What variables and files say of Postgres and NATS, and what is refused."""

from pathlib import Path

import pytest

from daybook.addresses import nats_servers
from daybook.config import from_environment
from daybook.errors import BadConfiguration

ODD = """p'w \\ #/?@%:&=,é"""


def test_a_password_of_any_characters_comes_from_a_file_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{ODD}\n")
    given = {
        "DAYBOOK_NATS": "nats://one:4222,two:4222",
        "DAYBOOK_NATS_USER": "relay",
        "DAYBOOK_NATS_PASSWORD_FILE": str(file),
        "DAYBOOK_NATS_REPLICAS": "3",
    }
    found = nats_servers("N", from_environment(given).require_nats())
    assert (found.user, found.password, found.replicas) == ("relay", ODD, 3)
    assert found.urls == ("nats://one:4222", "nats://two:4222") and found.inbox == "_INBOX.relay"


@pytest.mark.parametrize(
    "address",
    ["postgresql://ada@db/book", "postgresql://one,two/book?target_session_attrs=read-write", "host=db user=ada"],
)
def test_postgres_is_given_its_password_in_every_form_of_address(address: str, tmp_path: Path) -> None:
    from psycopg.conninfo import conninfo_to_dict

    (tmp_path / "password").write_text(ODD)
    given = {"DAYBOOK_POSTGRES": address, "DAYBOOK_POSTGRES_PASSWORD_FILE": str(tmp_path / "password")}
    settings = from_environment(given)
    assert conninfo_to_dict(settings.require_postgres())["password"] == ODD
    assert "p'w" not in str(settings.shown()) and "p%27w" not in str(settings.shown())


def test_a_whole_address_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("postgresql://ada:s3@db/book\n")
    settings = from_environment({"DAYBOOK_POSTGRES_FILE": str(tmp_path / "postgres")})
    assert settings.require_postgres() == "postgresql://ada:s3@db/book"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"DAYBOOK_NATS": "nats://a:b@x", "DAYBOOK_NATS_USER": "c"}, "both say who one is"),
        ({"DAYBOOK_NATS": "nats://x", "DAYBOOK_NATS_PASSWORD": "s3cret"}, "needs DAYBOOK_NATS_USER"),
        ({"DAYBOOK_NATS_PASSWORD": "s3cret"}, "DAYBOOK_NATS is not"),
        ({"DAYBOOK_POSTGRES_PASSWORD": "s3cret"}, "DAYBOOK_POSTGRES is not"),
        ({"DAYBOOK_NATS": "nats://x", "DAYBOOK_NATS_REPLICAS": "9"}, "from 1 to 5"),
        ({"DAYBOOK_NATS": "nats://x", "DAYBOOK_NATS_INBOX": "a.>"}, "without wildcards"),
        ({"DAYBOOK_NATS": "nats://x?odd=s3cret"}, "can't be read"),
        ({"DAYBOOK_POSTGRES": "host=x", "DAYBOOK_POSTGRES_FILE": "/x"}, "both set"),
    ],
)
def test_what_is_said_twice_or_by_halves_is_refused_in_words_without_the_secret(
    given: dict[str, str], words: str
) -> None:
    with pytest.raises(BadConfiguration, match=words) as caught:
        from_environment(given)
    assert "s3cret" not in str(caught.value)
