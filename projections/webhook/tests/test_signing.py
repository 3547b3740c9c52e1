"""Messages are signed as Standard Webhooks 1.0.0 says."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from daybook.channel.contract import Payload
from daybook_projections.webhook.signing import keys, message_id, signed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT = "whsec_" + b64encode(bytes(range(32))).decode()
Message = tuple[str, str, str, int, int, Payload | None]
AT = datetime.fromtimestamp(1614265330, UTC)


def secret_of(size: int) -> str:
    return "whsec_" + b64encode(bytes(size)).decode()


def test_the_published_vector_is_met() -> None:
    assert signed(keys(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_zone_and_the_fraction_of_the_moment_make_no_difference() -> None:
    elsewhere = (AT + timedelta(milliseconds=900)).astimezone(timezone(timedelta(hours=5)))
    assert signed(keys(SECRET), "msg_1", elsewhere, b"{}") == signed(keys(SECRET), "msg_1", AT, b"{}")


def test_while_secrets_are_changed_over_each_receiver_finds_its_own_signature() -> None:
    headers = dict(signed(keys(f"{NEXT}  {SECRET}"), "msg_1", datetime.now(UTC), b"{}"))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, NEXT):
        Webhook(secret).verify(b"{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(24)).verify(b"{}", headers)


def test_a_body_that_is_not_ascii_is_signed_as_its_bytes() -> None:
    body = '{"name":"Größe 42 ½ 👟"}'.encode()
    Webhook(SECRET).verify(body, dict(signed(keys(SECRET), "msg_1", datetime.now(UTC), body)))


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "there is none"),
        ("wrong", "number 1 does not start with whsec_"),
        ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "number 1 does not start with whsec_"),
        (f"{SECRET} whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La!!!!", "number 2 is no base64 after whsec_"),
        (secret_of(23), "number 1 holds 23 bytes; 24 to 64 are needed"),
        (secret_of(65), "number 1 holds 65 bytes; 24 to 64 are needed"),
    ],
)
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:
        keys(secret)
    assert str(refused.value) == reason


def test_secrets_of_every_allowed_length_are_taken_with_or_without_padding() -> None:
    for size in range(24, 65):
        assert keys(secret_of(size))[0].sign("m", AT, "") == keys(secret_of(size).rstrip("="))[0].sign("m", AT, "")


def test_an_id_is_the_same_for_the_same_message_and_another_for_any_other() -> None:
    message: Message = ("webhook", "S1", "price", 7, 3, {"price": None, "prices": {}})
    others: list[Message] = [
        ("erp", "S1", "price", 7, 3, {"price": None, "prices": {}}),
        ("webhook", "S2", "price", 7, 3, {"price": None, "prices": {}}),
        ("webhook", "S1", "stock", 7, 3, {"price": None, "prices": {}}),
        ("webhook", "S1", "price", 8, 3, {"price": None, "prices": {}}),
        ("webhook", "S1", "price", 7, 8, {"price": None, "prices": {}}),
        ("webhook", "S1", "price", 7, 3, {"price": None, "prices": {"a": {}}}),
        ("webhook", "S1", "price", 7, 3, None),
    ]
    assert message_id(*message) == message_id("webhook", "S1", "price", 7, 3, {"prices": {}, "price": None})
    ids = {message_id(*each) for each in (message, *others)}
    assert len(ids) == 1 + len(others)


def test_an_id_has_no_full_stop_also_when_the_sku_has() -> None:
    assert "." not in message_id("webhook", "A.1", "price", 1, 0, None)
