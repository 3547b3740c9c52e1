"""What may be recorded of a channel's connection, and what a connector still needs."""

import pytest

from daybook.channel.contract import Manifest
from daybook.channel.registry import installed
from daybook.commands.channels import check_settings
from daybook.errors import InvalidValue
from daybook_projections.webhook import endpoint


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"url": "https://crm.example/hook/a@b?list=1", "allow_http": "true"},
        {"account": "12", "client_id": "x", "marketplace_id": "A1", "data_source": "7", "keyboard": "qwerty"},
        {"url": "no url at all: [", "note": ""},
    ],
)
def test_settings_without_a_credential_are_kept_as_they_are(settings: dict[str, str]) -> None:
    assert check_settings(settings) == settings


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("secret", "s3cret"),
        ("client_secret", "s3cret"),
        ("refresh_token", "s3cret"),
        ("password", "s3cret"),
        ("key", "s3cret"),
        ("consumer_key", "s3cret"),
        ("apikey", "s3cret"),
        ("auth", "s3cret"),
        ("url", "https://ada:s3cret@crm.example"),
        ("url", "https://s3cret@crm.example"),
        ("url", "https://crm.example/hook?api_key=s3cret"),
        ("url", "https://crm.example/hook?list=1&Access_Token=s3cret"),
        ("note", "whsec_s3cret"),
        ("note", "Bearer s3cret"),
        ("note", "-----BEGIN PRIVATE KEY-----s3cret"),
    ],
)
def test_what_looks_like_a_credential_is_refused_and_not_repeated(key: str, value: str) -> None:
    with pytest.raises(InvalidValue, match=f"settings.{key}: looks like a credential") as caught:
        check_settings({key: value})
    assert "s3cret" not in str(caught.value) + str(caught.value.details)


@pytest.mark.parametrize("settings", [{"URL": "x"}, {"": "x"}, {"a b": "x"}, {"a": "x\x00"}, {"a": "x" * 2001}])
def test_malformed_settings_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(InvalidValue, match="settings"):
        check_settings(settings)


def test_a_manifest_says_what_a_connection_still_lacks() -> None:
    crm = endpoint("crm")
    assert crm.lacks({}) == ("url", "secret")
    assert crm.lacks({"url": "https://crm.example"}) == ("secret",)
    assert crm.lacks({"url": "https://crm.example", "secret": "x"}) == ()


@pytest.mark.parametrize("manifest", installed().channels(), ids=lambda one: one.name)
def test_every_installed_channel_names_the_settings_that_it_needs_and_needs_no_more(manifest: Manifest) -> None:
    needed = manifest.lacks({})
    assert "url" in needed and len(needed) > 1
    assert manifest.lacks(dict.fromkeys(needed, "https://given.example")) == ()
