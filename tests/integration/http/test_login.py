"""Logging in with a browser and an identity provider, out again, and what strangers try meanwhile."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import msgspec
import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands.access import AddUser, UnlinkIdentity, link_of
from daybook.config import Settings
from daybook.events import AccessRefused, SessionBegan, SessionEnded
from daybook.http.application import create
from daybook.http_settings import HttpSettings
from daybook.log.pending import Context
from daybook.oidc_settings import OidcProvider
from daybook.postgres.roles import ROLES, make_roles, name_of
from daybook.server.api_server import ApiServer
from daybook.web.cookies import LOGIN, SESSION
from tests.fixtures.browser import ADDRESS, Browser, visit
from tests.fixtures.identity_provider import (
    CLIENT,
    CLIENT_SECRET,
    SUBJECT,
    IdentityProvider,
    identity_provider,
    rsa_key,
)
from tests.fixtures.owner import SHOWN, client_of
from tests.fixtures.served import serving
from tests.fixtures.waiting import until

API = "/api/v1"
PRODUCT = {"sku": "A", "kind": "product"}


@pytest.fixture
def issuer() -> Iterator[IdentityProvider]:
    with identity_provider() as provider:
        provider.redirects = (f"{ADDRESS}/auth/callback",)
        yield provider


def settings_of(database: str, *issuers: IdentityProvider, secret: str | None = CLIENT_SECRET) -> Settings:
    providers = tuple(
        OidcProvider(name=f"p{number}", issuer=one.issuer, client_id=CLIENT, client_secret=secret)
        for number, one in enumerate(issuers)
    )
    http = HttpSettings(address=ADDRESS, session_hours=2, session_idle_minutes=30)
    return Settings(data=Path("unused"), postgres=database, oidc=providers, http=http)


@pytest.fixture
def app(database: str, issuer: IdentityProvider) -> Iterator[App]:
    with App(settings_of(database, issuer), Registry([])) as app:
        tie(app, issuer)
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, headers={}) as client:
        yield client


@pytest.fixture
def browser(client: TestClient[Litestar]) -> Browser:
    return Browser(client)


def tie(app: App, issuer: IdentityProvider, login: str = "mia", subject: str = SUBJECT) -> None:
    first = AddUser(user=f"usr_{login}", login=login, role="editor", grant=f"gr_{login}")
    wish = link_of(login, f"oid_{login}", issuer.issuer, subject, (), first)
    app.book.carry_out(wish, Context.new("ann", "test"))


def of_type(app: App, kind: type) -> list[Any]:
    return [one.event for one in app.reader.after(0, 1000) if isinstance(one.event, kind)]


def refusals(app: App) -> list[str]:
    return [one.reason for one in of_type(app, AccessRefused)]


def changed(address: str, **others: str | None) -> str:
    """The address with other parameters."""
    parts = urlsplit(address)
    said = {name: one[0] for name, one in parse_qs(parts.query).items()} | others
    return f"{ADDRESS}{parts.path}?{urlencode({name: one for name, one in said.items() if one is not None})}"


def test_a_person_logs_in_works_under_its_own_name_and_logs_out(browser: Browser, app: App, database: str) -> None:
    assert browser.get("/auth/me").status_code == 401
    answer = browser.log_in("/auth/login?return_to=/console%3Ftab=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console?tab=1")
    assert list(browser.cookies) == [SESSION]
    me = browser.get("/auth/me").json()
    assert (me["login"], me["user"]) == ("mia", "usr_mia")
    made = browser.send("POST", f"{API}/products", PRODUCT)
    assert made.status_code == 201, made.text
    (event,) = app.reader.after(made.json()["position"] - 1, 1)
    assert (event.actor, event.access) == ("mia", f"{me['session']}/gr_mia")
    assert browser.send("POST", f"{API}/keys", {"user": "mia"}).json()["permission"] == "key.make"

    with psycopg.connect(database) as conn:
        kept = str(conn.execute("SELECT * FROM login_sessions").fetchall())
    stolen = dict(browser.cookies)
    assert stolen[SESSION].partition(".")[2] not in kept
    assert stolen[SESSION] not in kept
    assert browser.send("POST", "/auth/logout").status_code == 204
    assert not browser.cookies
    browser.cookies = stolen
    assert browser.get(f"{API}/products").status_code == 401
    assert browser.send("POST", "/auth/logout").status_code == 204
    (began,), (ended,) = of_type(app, SessionBegan), of_type(app, SessionEnded)
    assert (began.identity, began.session, ended.session, ended.how) == (
        "oid_mia", me["session"], me["session"], "logout",
    )  # fmt: skip
    assert timedelta(minutes=110) < began.expires_at - datetime.now(UTC) <= timedelta(hours=2)


def test_a_login_goes_through_the_server_that_production_has(database: str, issuer: IdentityProvider) -> None:
    settings = msgspec.structs.replace(settings_of(database, issuer), http_port=0)
    with App(settings, Registry([])) as app, serving(ApiServer(create(app), settings)) as port:
        tie(app, issuer)
        host = {"host": "daybook.example"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=host, timeout=60) as client:
            browser = Browser(client)
            assert browser.log_in("/auth/login?return_to=/schema").headers["location"] == "/schema"
            assert list(browser.cookies) == [SESSION]
            assert browser.send("POST", f"{API}/products", PRODUCT).status_code == 201
            assert browser.send("POST", f"{API}/products", PRODUCT, origin="https://evil.example").status_code == 403
            assert browser.send("POST", "/auth/logout").status_code == 204
            assert browser.get(f"{API}/products").status_code == 401


def test_what_the_browser_is_sent_with_is_what_the_specifications_ask_for(
    browser: Browser, issuer: IdentityProvider
) -> None:
    begun = browser.get("/auth/login")
    parts = urlsplit(begun.headers["location"])
    asked = {name: one[0] for name, one in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{issuer.issuer}/authorize"
    assert (asked["response_type"], asked["scope"], asked["client_id"]) == ("code", "openid", CLIENT)
    assert (asked["redirect_uri"], asked["code_challenge_method"]) == (f"{ADDRESS}/auth/callback", "S256")
    secrets = {asked["state"], asked["nonce"], asked["code_challenge"]}
    assert len(secrets) == 3
    assert all(len(one) == 43 and one not in browser.cookies[LOGIN] for one in secrets)
    again = Browser(browser._client)
    other = parse_qs(urlsplit(again.get("/auth/login").headers["location"]).query)
    assert secrets.isdisjoint({other[name][0] for name in ("state", "nonce", "code_challenge")})
    assert begun.headers["cache-control"] == "no-store"


def test_a_login_leads_nowhere_but_to_a_path_of_this_server(browser: Browser) -> None:
    for path in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        " /x",
        "/x\r\nSet-Cookie: a=b",
        "/é",
        "/" + "x" * 1000,
    ):
        answer = browser.get(f"/auth/login?{urlencode({'return_to': path})}")
        assert answer.status_code in (400, 422), (path, answer.text)
        assert not browser.cookies


def test_where_a_login_leads_can_not_be_changed_on_the_way(browser: Browser, app: App) -> None:
    back = browser.to_provider("/auth/login?return_to=/a")
    provider, secret, _ = browser.cookies[LOGIN].split(".")
    browser.cookies[LOGIN] = f"{provider}.{secret}.L2I"  # /b
    assert browser.come_back(back).json()["reason"] == "wrong_state"
    browser.cookies[LOGIN] = f"{provider}.{secret}.Ly9ldmlsLmV4YW1wbGU"  # //evil.example
    assert browser.come_back(back).json()["reason"] == "wrong_state"
    assert refusals(app) == ["wrong_state"]


def test_an_answer_fits_the_browser_that_began_alone_and_counts_once(
    browser: Browser, client: TestClient[Litestar], app: App
) -> None:
    stranger, back = Browser(client), browser.to_provider()
    # Somebody hands his own answer to another browser, which has begun no login, or another one (login CSRF).
    assert stranger.come_back(back).json()["reason"] == "wrong_state"
    stranger.get("/auth/login")
    assert stranger.come_back(back).json()["reason"] == "wrong_state"
    kept = dict(browser.cookies)
    for name in ("", "x", None):
        assert browser.come_back(changed(back, state=name)).json()["reason"] == "wrong_state"
    assert browser.come_back(back).status_code == 303
    # Replayed with the cookie of the begun login: the provider takes its code once.
    browser.cookies = kept
    assert browser.come_back(back).json()["reason"] == "not_vouched"
    assert len(of_type(app, SessionBegan)) == 1


def test_a_login_begins_one_session_even_if_the_provider_takes_its_code_twice(
    browser: Browser, app: App, issuer: IdentityProvider
) -> None:
    issuer.forgets_codes = False
    back = browser.to_provider()
    kept = dict(browser.cookies)
    assert browser.come_back(back).status_code == 303
    browser.cookies = kept
    again = browser.come_back(back)
    assert (again.status_code, again.json()["reason"]) == (401, "repeated_login")
    assert len(of_type(app, SessionBegan)) == 1
    assert SESSION not in browser.cookies


ODD: dict[str, tuple[Callable[[IdentityProvider], Any], str]] = {
    "another nonce": (lambda one: one.claims.update(nonce="x" * 43), "wrong_nonce"),
    "no nonce": (lambda one: one.claims.update(nonce=None), "wrong_nonce"),
    "a nonce of another type": (lambda one: one.claims.update(nonce=["x"]), "wrong_nonce"),
    "another audience": (lambda one: one.claims.update(aud="shop"), "wrong_audience"),
    "an access token's audience": (lambda one: one.claims.update(aud="daybook-api"), "wrong_audience"),
    "two audiences and no party": (lambda one: one.claims.update(aud=[CLIENT, "shop"]), "wrong_audience"),
    "another party": (lambda one: one.claims.update(azp="shop"), "wrong_audience"),
    "another issuer": (lambda one: one.claims.update(iss="https://evil.example"), "wrong_issuer"),
    "expired": (lambda one: one.claims.update(exp=1), "expired"),
    "nobody": (lambda one: one.claims.update(sub=None), "malformed"),
    "a stranger's signature": (lambda one: one.signing.update(k0=rsa_key(9)), "bad_signature"),
    "no token": (lambda one: one.instead.update({"/token": b"{}"}), "not_vouched"),
    "a token of another type": (lambda one: one.instead.update({"/token": b'{"id_token":7}'}), "not_vouched"),
    "a list": (lambda one: one.instead.update({"/token": b"[]"}), "not_vouched"),
    "an unknown subject": (lambda one: one.__setattr__("subject", "somebody"), "unknown_subject"),
}


def test_an_answer_of_the_provider_is_not_believed_with_anything_odd_in_it(
    browser: Browser, app: App, issuer: IdentityProvider
) -> None:
    assert browser.log_in().status_code == 303  # its keys are known, so that a stranger's are not asked for
    browser.cookies.clear()
    as_it_was = {name: dict(one) if isinstance(one, dict) else one for name, one in vars(issuer).items()}
    for what, (change, reason) in ODD.items():
        vars(issuer).update({name: dict(one) if isinstance(one, dict) else one for name, one in as_it_was.items()})
        change(issuer)
        answer = browser.come_back(browser.to_provider())
        assert (answer.status_code, answer.json()["reason"]) == (401, reason), (what, answer.text)
        assert SESSION not in browser.cookies
    assert len(of_type(app, SessionBegan)) == 1


def test_two_audiences_with_the_right_party_are_taken(browser: Browser, issuer: IdentityProvider) -> None:
    issuer.claims |= {"aud": [CLIENT, "shop"], "azp": CLIENT}
    assert browser.log_in().status_code == 303


def test_the_code_is_worth_nothing_without_the_verifier_of_its_browser(
    client: TestClient[Litestar], app: App, issuer: IdentityProvider
) -> None:
    victim, thief = Browser(client), Browser(client)
    stolen = parse_qs(urlsplit(victim.to_provider()).query)["code"][0]
    own = thief.to_provider()
    # The thief puts the stolen code into his own answer: his verifier is not the victim's.
    assert thief.come_back(changed(own, code=stolen)).json()["reason"] == "not_vouched"
    assert not of_type(app, SessionBegan)
    without = changed(victim.get("/auth/login").headers["location"], code_challenge=None)
    assert "error=invalid_request" in visit(without.replace(f"{ADDRESS}/authorize", f"{issuer.issuer}/authorize"))


def test_an_answer_says_which_provider_gave_it(browser: Browser, app: App, issuer: IdentityProvider) -> None:
    back = browser.to_provider()
    for other in ("https://evil.example", None, ""):
        assert browser.come_back(changed(back, iss=other)).json()["reason"] == "wrong_issuer"
    assert browser.come_back(f"{back}&session_state=x&scope=openid&hd=").status_code == 303
    browser.cookies.clear()
    issuer.sends_iss = False
    app.browser_login._providers["p0"]._metadata = None
    app.browser_login._providers["p0"]._asked_at = float("-inf")
    assert browser.log_in().status_code == 303


def test_two_providers_vouch_each_for_its_own_people(database: str, issuer: IdentityProvider) -> None:
    with identity_provider(1) as other, App(settings_of(database, issuer, other), Registry([])) as app:
        other.redirects = issuer.redirects
        tie(app, issuer)
        tie(app, other, "jan")
        with client_of(app, headers={}) as client:
            browser = Browser(client)
            assert browser.get("/auth/login").status_code == 422
            assert browser.get("/auth/login?provider=nosuch").status_code == 422
            assert browser.log_in("/auth/login?provider=p1").status_code == 303
            assert browser.get("/auth/me").json()["login"] == "jan"
            # An answer of one, while the other was asked (mix-up).
            kept = browser.to_provider("/auth/login?provider=p0")
            browser.to_provider("/auth/login?provider=p1")
            assert browser.come_back(kept).json()["reason"] == "wrong_state"


def test_daybook_proves_who_it_is_as_the_provider_takes_it(database: str, issuer: IdentityProvider) -> None:
    for methods, secret in (
        (None, CLIENT_SECRET),
        (["client_secret_post", "private_key_jwt"], CLIENT_SECRET),
        (None, None),
    ):
        issuer.metadata["token_endpoint_auth_methods_supported"], issuer.secret = methods, secret
        with (
            App(settings_of(database, issuer, secret=secret), Registry([])) as app,
            client_of(app, headers={}) as client,
        ):
            if app.reader.access().user_of("mia") is None:
                tie(app, issuer)
            assert Browser(client).log_in().status_code == 303
            issuer.secret = "another"
            refused = Browser(client).log_in()
            assert (refused.status_code, "invalid_client" in refused.json()["detail"]) == (401, True)
            assert CLIENT_SECRET not in refused.text


def test_a_session_is_new_with_each_login_and_the_former_one_ends(browser: Browser, app: App) -> None:
    # Planted before the login (session fixation): it is never taken over.
    browser.cookies[SESSION] = f"ses_aaaaaaaaaa.{'A' * 43}"
    assert browser.get("/auth/me").status_code == 401
    browser.log_in()
    first = dict(browser.cookies)
    assert "ses_aaaaaaaaaa" not in first[SESSION]
    browser.log_in()
    second = dict(browser.cookies)
    assert first[SESSION].split(".")[0] != second[SESSION].split(".")[0]
    browser.cookies = first
    until(lambda: browser.get("/auth/me").status_code == 401, "the former session has ended")
    browser.cookies = second
    assert browser.get("/auth/me").status_code == 200
    assert [one.how for one in of_type(app, SessionEnded)] == ["login"]


FOREIGN: dict[str, dict[str, str]] = {
    "no origin": {"origin": ""},
    "another origin": {"origin": "https://evil.example"},
    "the origin of a sandbox": {"origin": "null"},
    "the origin without TLS": {"origin": ADDRESS.replace("https", "http")},
    "a neighbour's origin": {"origin": "https://daybook.example.evil.example"},
    "another port": {"origin": f"{ADDRESS}:8443"},
    "no token": {"x_csrf_token": ""},
    "another token": {"x_csrf_token": "x" * 43},
    "another site": {"sec_fetch_site": "cross-site"},
    "a neighbour": {"sec_fetch_site": "same-site"},
}


def test_a_page_of_a_stranger_changes_nothing_with_somebody_elses_session(browser: Browser, app: App) -> None:
    browser.log_in()
    for what, headers in FOREIGN.items():
        for method, path in (
            ("POST", f"{API}/products"),
            ("DELETE", f"{API}/products/A/gtin"),
            ("POST", "/auth/logout"),
        ):
            answer = browser.send(method, path, PRODUCT if path.endswith("products") else None, **headers)
            if path.endswith("gtin") and answer.status_code == 405:
                continue
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (what, path, answer.text)
    assert browser.get("/auth/me").status_code == 200
    # Reading leaves traces too; only a link to a page is followed.
    for path in (f"{API}/products", "/auth/me"):
        assert browser.get(path, sec_fetch_site="cross-site").status_code == 403
    assert browser.get(f"{API}/products", sec_fetch_site="cross-site", sec_fetch_mode="navigate").status_code == 403
    assert browser.get(f"{API}/products", sec_fetch_site="none", sec_fetch_mode="navigate").status_code == 200
    assert refusals(app) == ["foreign_page"]
    # A key is no cookie: whoever has one is no stranger.
    assert browser.get(f"{API}/products", authorization=SHOWN["Authorization"], origin="x").status_code == 200


def test_another_sites_form_does_not_have_the_browser_forget_its_session(browser: Browser) -> None:
    browser.log_in()
    kept, browser.cookies = dict(browser.cookies), {}  # SameSite: a form of another site comes without it
    answer = browser.send("POST", "/auth/logout", origin="https://evil.example", sec_fetch_site="cross-site")
    assert (answer.status_code, "set-cookie" in answer.headers) == (204, False)
    browser.cookies = kept
    assert browser.get("/auth/me").status_code == 200


def test_made_up_answers_do_not_become_a_flood_for_the_provider(
    browser: Browser, app: App, issuer: IdentityProvider
) -> None:
    now = app.browser_login._clock()
    app.browser_login._clock = lambda: now
    back = changed(browser.to_provider(), code="made-up")
    found = [browser.come_back(back).status_code for _ in range(50)]
    assert found == [401] * 40 + [503] * 10
    assert issuer.asked["/token"] == 40
    now += 1
    assert browser.come_back(back).status_code == 401


def test_a_session_that_is_shown_twice_or_wrongly_is_none(browser: Browser) -> None:
    browser.log_in()
    good = browser.cookies[SESSION]
    session, _, secret = good.partition(".")
    for bad in (
        f"{session}.{'A' * 43}",
        session,
        f"{good}x",
        f"{session}.{secret[:-1]}",
        "",
        f"{good}; {SESSION}={good}",
    ):
        browser.cookies = {SESSION: bad}
        assert browser.get("/auth/me").status_code == 401, bad
    browser.cookies = {"other": "x", SESSION: good}
    assert browser.get("/auth/me").status_code == 200


def test_a_session_ends_with_the_identity_that_it_rests_on(browser: Browser, app: App) -> None:
    browser.log_in()
    app.book.carry_out(UnlinkIdentity(identity="oid_mia"), Context.new("ann", "test"))
    until(lambda: browser.get(f"{API}/products").status_code == 401, "the session is taken no more")
    assert browser._client.get(f"{API}/access/sessions", headers=SHOWN).json() == []


def test_somebody_ends_a_session_and_it_is_refused_within_a_second(
    browser: Browser, client: TestClient[Litestar], app: App
) -> None:
    browser.log_in()
    (listed,) = client.get(f"{API}/access/sessions", headers=SHOWN).json()
    assert (listed["login"], listed["identity"]) == ("mia", "oid_mia")
    assert client.get(f"{API}/access/sessions?user=mia", headers=SHOWN).json() == [listed]
    assert client.get(f"{API}/access/sessions?user=nobody", headers=SHOWN).status_code == 404
    shown = browser.cookies[SESSION]
    with App(app.settings, Registry([])) as another, client_of(another, headers={}) as elsewhere:
        there = Browser(elsewhere)
        there.cookies[SESSION] = shown
        assert there.get("/auth/me").status_code == 200
        path = f"{API}/access/sessions/{listed['session']}"
        ended = client.delete(path, headers=SHOWN | {"X-Reason": "a stolen laptop"})
        assert (ended.status_code, ended.json()["session"]) == (200, listed["session"])
        at = time.monotonic()
        until(lambda: there.get("/auth/me").status_code == 401, "the session is refused by the other process")
        assert time.monotonic() - at < 5  # half a second, and a slow machine
        assert client.delete(path, headers=SHOWN).status_code == 404
    (event,) = [one for one in app.reader.after(0, 1000) if isinstance(one.event, SessionEnded)]
    assert isinstance(event.event, SessionEnded)
    assert (event.actor, event.reason, event.event.how) == ("owner", "a stolen laptop", "ended")
    sentences = [one["sentence"] for one in client.get(f"{API}/access/log", headers=SHOWN).json()["entries"]]
    assert f"mia logged in as oid_mia ({listed['session']})" in sentences
    assert f"{listed['session']} of mia ended (ended)" in sentences


def test_a_locked_user_is_refused_whatever_it_shows_until_it_is_unlocked(
    browser: Browser, client: TestClient[Litestar]
) -> None:
    browser.log_in()
    key = {"Authorization": f"Bearer {client.post(f'{API}/keys', json={'user': 'mia'}, headers=SHOWN).json()['key']}"}

    def statuses() -> list[int]:
        return [browser.get("/auth/me").status_code, client.get(f"{API}/products", headers=key).status_code]

    until(lambda: statuses() == [200, 200], "both are taken")
    assert client.post(f"{API}/users/mia/lock", headers=SHOWN | {"X-Reason": "left"}).json()["changed"]
    until(lambda: statuses() == [401, 401], "both are refused")
    assert "user unlock mia" in client.get(f"{API}/products", headers=key).json()["detail"]
    assert browser.log_in().json()["reason"] == "locked"
    assert client.get(f"{API}/access/who-could?permission=price.change", headers=SHOWN).json() == []
    shown = client.get(f"{API}/users/mia", headers=SHOWN).json()
    assert shown["locked_at"] is not None
    assert len(shown["grants"]) == 1
    assert client.post(f"{API}/users/mia/unlock", headers=SHOWN).json()["changed"]
    until(lambda: statuses() == [200, 200], "both are taken again")


def test_a_locked_user_who_logs_out_is_logged_out_also_once_it_is_unlocked(
    browser: Browser, client: TestClient[Litestar]
) -> None:
    browser.log_in()
    kept = dict(browser.cookies)
    client.post(f"{API}/users/mia/lock", headers=SHOWN)
    until(lambda: browser.get("/auth/me").status_code == 401, "the session is refused")
    assert browser.send("POST", "/auth/logout").status_code == 204
    client.post(f"{API}/users/mia/unlock", headers=SHOWN)
    key = {"Authorization": f"Bearer {client.post(f'{API}/keys', json={'user': 'mia'}, headers=SHOWN).json()['key']}"}
    until(lambda: client.get(f"{API}/products", headers=key).status_code == 200, "the user is let in again")
    browser.cookies = kept
    assert browser.get("/auth/me").status_code == 401


def test_what_is_done_with_a_session_counts_as_a_use_of_its_identity(
    browser: Browser, client: TestClient[Litestar], app: App
) -> None:
    browser.log_in()
    assert browser.get(f"{API}/products").status_code == 200
    app.access.uses.flush()
    shown = client.get(f"{API}/users/mia", headers=SHOWN).json()
    assert shown["identities"][0]["last_used_at"] is not None
    assert [one["identity"] for one in shown["sessions"]] == ["oid_mia"]


def test_a_session_ends_by_itself(browser: Browser, database: str, app: App) -> None:
    for change in (
        b"UPDATE login_sessions SET last_used_at = last_used_at - interval '31 minutes'",
        b"UPDATE login_sessions SET expires_at = expires_at - interval '121 minutes'",
    ):
        browser.log_in()
        with psycopg.connect(database) as conn:
            conn.execute(change)
        until(lambda: browser.get("/auth/me").status_code == 401, "the session has ended")
        assert app.logins.sessions.standing() == []


def test_a_session_that_is_used_is_noted_at_most_once_a_minute(browser: Browser, database: str) -> None:
    browser.log_in()

    def used() -> Any:
        with psycopg.connect(database) as conn:
            return conn.execute("SELECT last_used_at FROM login_sessions").fetchone()

    first = used()
    browser.get("/auth/me")
    assert used() == first
    with psycopg.connect(database) as conn:
        conn.execute("UPDATE login_sessions SET last_used_at = last_used_at - interval '10 minutes'")
    until(lambda: browser.get("/auth/me").status_code == 200 and used() > first, "the use is noted")


def test_the_api_needs_no_more_than_its_own_role_for_it_and_no_other_role_sees_a_hash(
    database: str, issuer: IdentityProvider
) -> None:
    make_roles(database)
    as_role = {role: database.replace("//postgres@", f"//{name_of(role)}@") for role in ROLES}
    with App(settings_of(as_role["append"], issuer), Registry([])) as app, client_of(app, headers={}) as client:
        tie(app, issuer)
        browser = Browser(client)
        assert browser.log_in().status_code == 303
        (listed,) = client.get(f"{API}/access/sessions", headers=SHOWN).json()
        assert browser.send("POST", "/auth/logout").status_code == 204
    seen = {}
    for role, dsn in as_role.items():
        for what in ("session_id", "secret_hash"):
            with psycopg.connect(dsn) as conn:
                try:
                    seen[role, what] = conn.execute(f"SELECT {what} FROM login_sessions".encode()).fetchall() != []
                except psycopg.errors.InsufficientPrivilege:
                    seen[role, what] = False
    assert {role for role, what in seen if seen[role, what] and what == "secret_hash"} == {"append"}
    assert {role for role, what in seen if seen[role, what] and what == "session_id"} == {"append", "audit", "read"}
    assert listed["login"] == "mia"


def test_nobody_logs_in_where_nothing_says_with_whom(database: str, issuer: IdentityProvider) -> None:
    found = settings_of(database, issuer)
    for settings in (
        Settings(data=Path("unused"), postgres=database),
        Settings(data=Path("unused"), postgres=database, oidc=found.oidc),
    ):
        with App(settings, Registry([])) as app, client_of(app, headers={}) as client:
            for path in ("/auth/login", "/auth/callback?code=x&state=y"):
                answer = Browser(client).get(path)
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_provider_that_is_away_or_odd_is_no_fault_of_who_logs_in(browser: Browser, issuer: IdentityProvider) -> None:
    issuer.metadata["authorization_endpoint"] = "http://192.0.2.1/authorize"
    assert browser.get("/auth/login").status_code == 503
    issuer.metadata.clear()
    issuer.away = True
    answer = browser.get("/auth/login")
    assert (answer.status_code, issuer.issuer in answer.text) == (503, False)
    assert browser.get("/auth/callback?error=access_denied&state=x").json()["reason"] == "wrong_state"


def test_who_is_not_let_in_by_the_provider_hears_why(browser: Browser) -> None:
    back = changed(browser.to_provider(), code=None, error="access_denied", error_description="<script>")
    answer = browser.come_back(back)
    assert (answer.status_code, answer.json()["reason"]) == (401, "not_vouched")
    assert "access_denied" in answer.json()["detail"] and "<script>" not in answer.text
    assert "<b>" not in browser.come_back(changed(back, error="<b>")).text
    assert browser.come_back(f"{back}&state=x").status_code == 400
