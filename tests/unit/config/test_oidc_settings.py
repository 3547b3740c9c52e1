"""Identity providers, from the environment."""

from pathlib import Path

import pytest

from daybook.config import Settings, from_environment
from daybook.errors import BadConfiguration
from daybook.oidc_settings import OidcProvider

ISSUER = {"DAYBOOK_OIDC_ISSUER": "https://id.example/", "DAYBOOK_OIDC_AUDIENCE": "daybook, other"}


def test_nothing_said_is_nobodys_word() -> None:
    assert from_environment({"DAYBOOK_OIDC_ISSUER": ""}).oidc == ()


def test_one_provider_and_further_ones_by_name(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    found = from_environment(
        ISSUER
        | {
            "DAYBOOK_OIDC_CI_ISSUER": "http://127.0.0.1:8090",
            "DAYBOOK_OIDC_CI_CLIENT_ID": "console",
            "DAYBOOK_OIDC_CI_CLIENT_SECRET_FILE": str(secret),
            "DAYBOOK_OIDC_CI_ALGORITHMS": "ES256",
            "DAYBOOK_OIDC_CI_LEEWAY": "0",
            "DAYBOOK_OIDC_CI_CA": str(ca),
            "DAYBOOK_OIDC_CI_SCOPES": "profile openid",
        }
    )
    assert found.oidc == (
        OidcProvider(name="main", issuer="https://id.example/", audiences=("daybook", "other")),
        OidcProvider(
            name="ci",
            issuer="http://127.0.0.1:8090",
            client_id="console",
            client_secret="s3cret",
            algorithms=("ES256",),
            leeway=0,
            ca=ca,
            scopes=("openid", "profile"),
        ),
    )
    shown = Settings.shown(found)
    assert "s3cret" not in str(shown)
    assert "********" in str(shown["oidc"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAYBOOK_OIDC_ISSUER", "http://id.example"),
        ("DAYBOOK_OIDC_ISSUER", "id.example"),
        ("DAYBOOK_OIDC_ISSUER", "https://"),
        ("DAYBOOK_OIDC_ISSUER", "https://a:b@id.example"),
        ("DAYBOOK_OIDC_ISSUER", "https://id.example/?a=b"),
        ("DAYBOOK_OIDC_ISSUER", "https://id.example/#a"),
        ("DAYBOOK_OIDC_ISSUER", "https://[::1"),
        ("DAYBOOK_OIDC_ISSUER", "https://id.example/é"),
        ("DAYBOOK_OIDC_ISSUER", "http://127.0.0.1.evil.example"),
        ("DAYBOOK_OIDC_ALGORITHMS", "none"),
        ("DAYBOOK_OIDC_ALGORITHMS", "RS256,HS256"),
        ("DAYBOOK_OIDC_ALGORITHMS", "rs256"),
        ("DAYBOOK_OIDC_LEEWAY", "301"),
        ("DAYBOOK_OIDC_LEEWAY", "-1"),
        ("DAYBOOK_OIDC_AUDIENCES", "daybook"),
        ("DAYBOOK_OIDC_AUDIENCE", " , "),
        ("DAYBOOK_OIDC_CA", "/nosuch/ca.pem"),
        ("DAYBOOK_OIDC_CLIENT_SECRET", "x"),
        ("DAYBOOK_OIDC_CI_AUDIENCE", "x"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(BadConfiguration, match=r"DAYBOOK_OIDC_(CI_)?[A-Z]+"):
        from_environment(ISSUER | {name: value})


def test_an_issuer_is_named_once() -> None:
    with pytest.raises(BadConfiguration, match="once"):
        from_environment(
            ISSUER | {"DAYBOOK_OIDC_B_ISSUER": "https://id.example/", "DAYBOOK_OIDC_B_AUDIENCE": "daybook"}
        )
