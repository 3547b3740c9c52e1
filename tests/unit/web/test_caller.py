"""Who sends a command, read from headers as they arrive: decoded as Latin-1, whatever they were."""

import pytest

from daybook.access.authority import Principal
from daybook.errors import InvalidValue
from daybook.web.caller import caller

ANNA = Principal(user="usr_1", login="anna", credential="dbk_1", grants=())


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_a_name_is_read_in_the_encoding_that_its_sender_meant(encoding: str) -> None:
    arrived = "Zoë Größe".encode(encoding).decode("latin-1")
    assert caller(ANNA, actor=arrived).context.actor == "Zoë Größe"


@pytest.mark.parametrize(
    ("if_match", "version"),
    [(None, None), ("*", None), ('"3"', 3), ('"12-0123456789abcdef"', 12), (' "0" ', 0)],
)
def test_an_etag_names_the_version_on_which_a_wish_rests(if_match: str | None, version: int | None) -> None:
    assert caller(ANNA, if_match=if_match).expected_version == version


@pytest.mark.parametrize("if_match", ["3", 'W/"3"', '"3", "4"', '"x"', '""', '"9999999999999999999"'])
def test_a_tag_that_daybook_never_gave_is_refused(if_match: str) -> None:
    with pytest.raises(InvalidValue, match="If-Match"):
        caller(ANNA, if_match=if_match)


def test_a_key_is_taken_with_and_without_its_quotes_and_makes_the_command_repeatable() -> None:
    for key in ("k-1", '"k-1"'):
        read = caller(ANNA, idempotency_key=key)
        assert (read.context.command_id, read.repeatable) == ("k-1", True)
    assert caller(ANNA).repeatable is False
    assert caller(ANNA).context.command_id != caller(ANNA).context.command_id


@pytest.mark.parametrize("header", ["actor", "reason", "correlation", "idempotency_key"])
def test_a_header_has_a_longest_length(header: str) -> None:
    with pytest.raises(InvalidValue, match="at most"):
        caller(ANNA, **{header: "x" * 1001})


def test_blank_headers_are_as_good_as_none() -> None:
    context = caller(ANNA, actor=" ", reason="", correlation=" ").context
    assert (context.actor, context.reason, context.correlation_id) == ("anna", None, None)
