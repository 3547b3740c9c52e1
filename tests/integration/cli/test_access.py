"""Users, grants and keys at the command line."""

import pytest

from daybook.access.keys import parse
from tests.fixtures.commandline import Daybook


@pytest.fixture
def daybook(database: str) -> Daybook:
    return Daybook({"DAYBOOK_POSTGRES": database})


def test_a_key_is_printed_once_and_no_list_has_its_secret(daybook: Daybook) -> None:
    added = daybook.json("user", "add", "anna", "--owner")
    shown = parse(added["key"])
    assert shown is not None
    assert (added["login"], added["role"], added["changed"]) == ("anna", "owner", True)
    assert daybook.json("user", "add", "anna", "--owner")["key"] is None
    made = daybook.json("key", "make", "anna", "--label", "feed", "--days", "30")
    rotated = daybook.json("key", "rotate", made["id"])
    assert rotated["replaces"] == made["id"]
    assert daybook.json("key", "revoke", rotated["key"])["event"] == "access.key_revoked.v1"
    listed = daybook.json("key", "list", "--user", "anna")
    assert [(one["key"], one["state"], one["label"]) for one in listed] == [
        (shown.id, "taken", "first key"),
        (made["id"], "taken", "feed"),
        (rotated["id"], "revoked", "feed"),
    ]
    everything = "".join(daybook(*line, "--json").stdout for line in (
        ("key", "list"), ("user", "show", "anna"), ("access", "log"), ("log", "tail"), ("user", "list"),
    ))  # fmt: skip
    assert "shown this once" in daybook("key", "make", "anna").stdout
    for key in (added["key"], made["key"], rotated["key"]):
        assert key[15:] not in everything


def test_a_grant_is_given_within_a_scope_shown_and_withdrawn(daybook: Daybook) -> None:
    daybook.json("user", "add", "mia", "--no-key")
    line = ("access", "grant", "mia", "merchandiser", "--price-list", "retail", "--category", "shoes", "--reason", "x")
    assert daybook.json(*line)["event"] == "access.granted.v1"
    shown = daybook.json("access", "of", "mia")
    assert [(one["role"], one["scope"]) for one in shown["grants"]] == [
        ("merchandiser", {"categories": ["shoes"], "price_lists": ["retail"]})
    ]
    assert daybook.json("user", "show", "mia") == shown
    then = daybook.head()
    daybook.json("access", "withdraw", shown["grants"][0]["grant"])
    for arguments, who in (((), []), (("--position", then), ["mia"])):
        found = daybook.json("access", "who-could", "price.change", "--price-list", "retail", *arguments)
        assert [one["login"] for one in found] == who
    assert daybook.json("access", "who-could", "price.change", "--price-list", "b2b", "--position", then) == []
    entries = daybook.json("access", "log")["entries"]
    assert [one["reason"] for one in entries] == [None, "x", None]
    assert daybook.json("access", "list-unused", "--days", 0) == []
    assert "merchandiser" in daybook("access", "permissions").stdout


def test_a_user_is_tied_to_an_identity_shown_with_it_and_untied(daybook: Daybook) -> None:
    daybook.environ |= {"DAYBOOK_OIDC_ISSUER": "https://id.example", "DAYBOOK_OIDC_AUDIENCE": "daybook"}
    added = daybook.json("user", "add", "mia", "--role", "reader", "--oidc-subject", "2482-canary")
    assert (added["login"], added["issuer"], added["changed"]) == ("mia", "https://id.example", True)
    assert not daybook.json("user", "link", "mia", "--oidc-subject", "2482-canary")["changed"]
    daybook.json("user", "link", "mia", "--oidc-subject", "7", "--oidc-issuer", "https://other.example")
    shown = daybook.json("user", "show", "mia")
    assert [one["issuer"] for one in shown["identities"]] == ["https://id.example", "https://other.example"]
    assert shown["keys"] == []
    assert added["identity"] in daybook("access", "of", "mia").stdout
    (could,) = daybook.json("access", "who-could", "product.read")
    assert could["identities"][0] == added["identity"]
    unused = daybook.json("access", "list-unused", "--days", "0")
    assert added["identity"] in [one["identity"] for one in unused]
    assert daybook.json("user", "lock", "mia", "--reason", "left")["event"] == "access.user_locked.v1"
    assert "locked since" in daybook("user", "show", "mia").stdout
    assert daybook.json("access", "who-could", "product.read") == []
    assert daybook.json("user", "unlock", "mia")["changed"]
    assert daybook.json("access", "sessions") == []
    daybook.refuses(4, "not_found", "access", "end-session", "ses_aaaaaaaaaa")
    daybook.json("user", "unlink", added["identity"])
    daybook.refuses(4, "not_found", "user", "unlink", added["identity"])
    daybook.refuses(3, "invalid_value", "user", "link", "mia")
    daybook.refuses(4, "not_found", "user", "link", "nobody", "--oidc-subject", "8")
    assert "canary" not in daybook("access", "log").stdout + daybook("log", "tail", "--json").stdout


BAD: tuple[tuple[int, str, str | None, tuple[str, ...]], ...] = (
    (3, "invalid_value", "login", ("user", "add", "Anna")),
    (3, "invalid_value", "login", ("user", "add", "")),
    (3, "invalid_value", "login", ("user", "add", "x" * 65)),
    (3, "invalid_value", "role", ("user", "add", "bob", "--role", "king")),
    (3, "invalid_value", "person", ("user", "add", "bob", "--person", "Bob Jones")),
    (3, "invalid_value", "actor", ("user", "add", "bob", "--actor", " ")),
    (3, "invalid_value", "role", ("access", "grant", "mia", "king")),
    (3, "invalid_value", "scope.channels", ("access", "grant", "mia", "channel-owner", "--channel", "no channel")),
    (3, "invalid_value", "reason", ("access", "grant", "mia", "editor", "--reason", "x" * 1001)),
    (3, "invalid_value", "permission", ("access", "who-could", "price.melt")),
    (3, "invalid_value", "position", ("access", "who-could", "price.change", "--position", "99999")),
    (3, "invalid_value", "at", ("access", "of", "mia", "--at", "yesterday")),
    (2, "usage", None, ("access", "log", "--limit", "0")),
    (2, "usage", None, ("access", "list-unused", "--days", "40000")),
    (4, "not_found", "user", ("access", "grant", "nobody", "editor")),
    (4, "not_found", "grant", ("access", "withdraw", "gr_none")),
    (4, "not_found", "user", ("access", "of", "nobody")),
    (4, "not_found", "user", ("user", "show", "nobody")),
    (4, "not_found", "user", ("key", "make", "nobody")),
    (4, "not_found", "key", ("key", "rotate", "dbk_k3v7w2a5pq")),
    (4, "not_found", "key", ("key", "revoke", "dbk_k3v7w2a5pq")),
    (4, "not_found", "user", ("key", "list", "--user", "nobody")),
    (4, "not_found", "user", ("user", "show", "mia", "--position", "1")),
    (2, "usage", None, ("access", "grant", "mia")),
    (2, "usage", None, ("access", "withdraw")),
    (2, "usage", None, ("access", "who-could")),
    (2, "usage", None, ("access", "take", "mia")),
    (2, "usage", None, ("user", "add", "bob", "--key")),
    (2, "usage", None, ("key", "make", "mia", "--days", "-1")),
    (2, "usage", None, ("key", "rotate", "dbk_k3v7w2a5pq", "--hours", "many")),
)


def test_bad_input_is_refused_with_the_field_and_the_reason_and_writes_nothing(daybook: Daybook) -> None:
    daybook.json("product", "create", "A")
    daybook.json("user", "add", "mia", "--no-key")
    problems = {arguments: daybook.refuses(code, name, *arguments) for code, name, _, arguments in BAD}
    fields = {arguments: problem["details"].get("field") for arguments, problem in problems.items()}
    assert fields == {arguments: field for _, _, field, arguments in BAD}


def test_what_is_so_already_changes_nothing_and_is_no_error(daybook: Daybook) -> None:
    daybook.json("user", "add", "mia", "--role", "reader", "--no-key")
    lines = [("user", "add", "mia", "--role", "reader", "--no-key"), ("access", "grant", "mia", "reader")]
    with daybook.unchanged():
        assert [daybook.json(*line)["changed"] for line in lines] == [False, False]
    (grant,) = daybook.json("access", "of", "mia")["grants"]
    order = ("access", "withdraw", grant["grant"], "--command-id", "leaves")
    first = daybook.json(*order)
    with daybook.unchanged():
        assert daybook.json(*order) == {**first, "repeated": True}
    assert daybook.json("access", "of", "mia")["grants"] == []
