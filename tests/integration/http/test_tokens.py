"""Tokens of an identity provider at the API: tied to a user, within its grants, seen in the log, and taken back."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands.access import AddUser, link_of
from daybook.config import Settings
from daybook.log.pending import Context
from daybook.oidc_settings import OidcProvider
from tests.fixtures.identity_provider import AUDIENCE, SUBJECT, IdentityProvider, identity_provider
from tests.fixtures.logs import rows
from tests.fixtures.owner import SHOWN, client_of
from tests.fixtures.waiting import until

API = "/api/v1"


@pytest.fixture
def issuer() -> Iterator[IdentityProvider]:
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def app(database: str, issuer: IdentityProvider) -> Iterator[App]:
    provider = OidcProvider(name="main", issuer=issuer.issuer, audiences=(AUDIENCE,))
    with App(Settings(data=Path("unused"), postgres=database, oidc=(provider,)), Registry([])) as app:
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, headers={}) as client:
        yield client


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def tied(client: TestClient[Litestar], login: str = "mia", role: str = "reader", subject: str = SUBJECT) -> Any:
    added = client.post(f"{API}/users", json={"login": login, "role": role}, headers=SHOWN)
    assert added.status_code == 201, added.text
    answer = client.post(f"{API}/users/{login}/identities", json={"subject": subject}, headers=SHOWN)
    assert answer.status_code == 201, answer.text
    return answer.json()["identity"]


def test_who_comes_with_a_token_is_the_user_to_whom_its_subject_is_tied(
    client: TestClient[Litestar], issuer: IdentityProvider, app: App
) -> None:
    refused = client.get(f"{API}/products", headers=bearer(issuer.token()))
    assert (refused.status_code, refused.json()["reason"]) == (401, "unknown_subject")
    assert f"daybook user link LOGIN --oidc-subject {SUBJECT}" in refused.json()["detail"]
    assert refused.headers["www-authenticate"] == 'Bearer realm="daybook", error="invalid_token"'
    identity = tied(client, role="editor")

    def there() -> bool:
        return client.get(f"{API}/access/me", headers=bearer(issuer.token())).status_code == 200

    until(there, "the identity is known to this process")
    made = client.post(f"{API}/products", json={"sku": "A", "kind": "product"}, headers=bearer(issuer.token()))
    assert made.status_code == 201, made.text
    denied = client.post(f"{API}/keys", json={"user": "mia"}, headers=bearer(issuer.token()))
    assert (denied.status_code, denied.json()["permission"]) == (403, "key.make")
    (event,) = app.reader.after(made.json()["position"] - 1, 1)
    assert event.actor == "mia"
    assert event.access is not None and event.access.startswith(f"{identity}/gr_")
    app.access.uses.flush()
    shown = client.get(f"{API}/users/mia", headers=SHOWN).json()
    assert [(one["identity"], one["issuer"]) for one in shown["identities"]] == [(identity, issuer.issuer)]
    assert shown["identities"][0]["last_used_at"] is not None
    could = client.get(f"{API}/access/who-could?permission=product.create", headers=SHOWN).json()
    assert [(one["login"], one["identities"]) for one in could] == [("mia", [identity])]
    log = client.get(f"{API}/access/log", headers=SHOWN).json()["entries"]
    assert [one["type"] for one in log] == [
        "access.refused.v1", "access.user_added.v1", "access.granted.v1", "access.identity_linked.v1",
        "access.refused.v1",
    ]  # fmt: skip
    assert SUBJECT not in str(log)


def test_an_identity_that_is_untied_is_refused_within_a_second(
    client: TestClient[Litestar], issuer: IdentityProvider
) -> None:
    identity = tied(client)
    headers = bearer(issuer.token())
    until(lambda: client.get(f"{API}/products", headers=headers).status_code == 200, "the token is taken")
    assert client.delete(f"{API}/users/mia/identities/{identity}", headers=SHOWN).status_code == 200
    untied = time.monotonic()
    until(lambda: client.get(f"{API}/products", headers=headers).status_code == 401, "the token is refused")
    # What a look at the log takes on a slow machine comes on top of the half second.
    assert time.monotonic() - untied < 5
    again = client.delete(f"{API}/users/mia/identities/{identity}", headers=SHOWN)
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


def test_a_grant_that_is_withdrawn_counts_for_tokens_too(
    client: TestClient[Litestar], issuer: IdentityProvider
) -> None:
    tied(client, role="auditor")
    headers = bearer(issuer.token())
    until(lambda: client.get(f"{API}/access/log", headers=headers).status_code == 200, "the token is taken")
    (grant,) = client.get(f"{API}/users/mia", headers=SHOWN).json()["grants"]
    assert client.delete(f"{API}/access/grants/{grant['grant']}", headers=SHOWN).status_code == 200
    until(lambda: client.get(f"{API}/access/log", headers=headers).status_code == 403, "the grant is gone")


def test_a_subject_means_one_user_and_the_same_again_changes_nothing(client: TestClient[Litestar]) -> None:
    identity = tied(client)
    again = client.post(f"{API}/users/mia/identities", json={"subject": SUBJECT}, headers=SHOWN)
    assert (again.status_code, again.json()["identity"], again.json()["changed"]) == (200, identity, False)
    assert client.post(f"{API}/users", json={"login": "jan"}, headers=SHOWN).status_code == 201
    other = client.post(f"{API}/users/jan/identities", json={"subject": SUBJECT}, headers=SHOWN)
    assert (other.status_code, other.json()["code"]) == (409, "refused")
    assert "mia" in other.json()["detail"]
    for body in ({"subject": ""}, {"subject": "x" * 256}, {"subject": "x", "issuer": "id.example"}):
        assert client.post(f"{API}/users/jan/identities", json=body, headers=SHOWN).status_code == 422
    elsewhere = {"subject": SUBJECT, "issuer": "https://other.example"}
    assert client.post(f"{API}/users/jan/identities", json=elsewhere, headers=SHOWN).status_code == 201


def test_a_token_says_nothing_of_what_is_wrong_with_it_but_its_class(
    client: TestClient[Litestar], issuer: IdentityProvider
) -> None:
    tied(client)
    for text, reason in (
        (issuer.token(exp=1), "expired"),
        (issuer.token(aud="shop"), "wrong_audience"),
        (issuer.token(header={"alg": "none"}), "wrong_algorithm"),
        ("nonsense", "malformed"),
    ):
        answer = client.get(f"{API}/products", headers=bearer(text))
        assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (401, "unauthenticated", reason)
        assert text not in answer.text
        assert SUBJECT not in answer.text
    assert "error=" not in client.get(f"{API}/products").headers["www-authenticate"]


def test_a_provider_that_never_answered_is_no_fault_of_who_asks(
    client: TestClient[Litestar], issuer: IdentityProvider
) -> None:
    issuer.away = True
    answer = client.get(f"{API}/products", headers=bearer(issuer.token()))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert issuer.issuer not in answer.text
    # Keys go on being taken.
    assert client.get(f"{API}/products", headers=SHOWN).status_code == 200


def test_without_a_provider_a_token_is_no_key(database: str) -> None:
    with (
        App(Settings(data=Path("unused"), postgres=database), Registry([])) as app,
        client_of(app, headers={}) as client,
    ):
        answer = client.get(f"{API}/products", headers=bearer("a.b.c"))
        assert (answer.status_code, "mistyped" in answer.json()["detail"]) == (401, True)


def test_what_a_provider_calls_somebody_is_not_in_the_log(app: App, database: str) -> None:
    mail, first = "mia.canary@example.org", AddUser(user="usr_m", login="mia")
    wish = link_of("mia", "oid_a", None, mail, ["https://id.example"], first)
    assert app.book.carry_out(wish, Context.new("ann", "test")).changed
    assert [len(one.identities) for one in app.reader.access().users.values()] == [1]
    assert "canary" not in str(rows(database, "*"))
