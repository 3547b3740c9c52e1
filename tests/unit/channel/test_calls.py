"""What a channel's headers ask for, and what a preview shows of a request."""

from datetime import UTC, datetime

import pytest

from daybook.channel.calls import Calls, Exchange, Previewed, exchanges, previewing, retry_after_seconds

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        ("0.5", 0.5),
        ("999999999999", 3600.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("Fri, 01 Jan 2027 12:00:00 GMT", 3600.0),
        ("soon", None),
        ("-1", None),
        ("1e9", None),
        ("²", None),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds({} if header is None else {"Retry-After": header}, NOON) == seconds


async def test_a_preview_of_a_request_about_people_shows_neither_what_is_said_nor_to_whom() -> None:
    kept: list[Exchange] = []
    exchanges.set(kept)
    previewing.set(True)
    calls = Calls("http://shop.example")

    for people in ((), ("01936f1e-7a60-7000-8000-000000000001",)):
        with pytest.raises(Previewed) as caught:
            await calls.request("POST", "/labels", body={"to": "Ada"}, query={"for": "Ada"}, people=people)
        assert ("Ada" in str(caught.value)) is not bool(people)

    assert [(one.url, one.request) for one in kept] == [
        ("http://shop.example/labels?for=Ada", b'{"to":"Ada"}'),
        ("http://shop.example/labels", None),
    ]
