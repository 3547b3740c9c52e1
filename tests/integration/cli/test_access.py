"""Users, grants and keys at the command line."""

import pytest

from daybook.access.keys import parse
from daybook.access.permissions import PERMISSIONS
from daybook.cli import permissions
from daybook.cli.main import cli
from daybook.cli.manual import commands
from tests.fixtures.commandline import Daybook


@pytest.fixture
def daybook(database: str) -> Daybook:
    return Daybook({"DAYBOOK_POSTGRES": database})


def test_every_command_declares_a_permission_that_there_is_and_nothing_else_is_declared() -> None:
    assert set(permissions.PERMISSIONS) == {" ".join(path) for path, _ in commands(cli)}
    assert set(permissions.PERMISSIONS.values()) <= set(PERMISSIONS)


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
    daybook.json("user", "unlink", added["identity"])
    daybook.refuses(4, "not_found", "user", "unlink", added["identity"])
    daybook.refuses(3, "invalid_value", "user", "link", "mia")
    daybook.refuses(4, "not_found", "user", "link", "nobody", "--oidc-subject", "8")
    assert "canary" not in daybook("access", "log").stdout + daybook("log", "tail", "--json").stdout


def test_a_mistake_is_told_in_words(daybook: Daybook) -> None:
    daybook.refuses(4, "not_found", "access", "grant", "nobody", "editor")
    daybook.refuses(3, "invalid_value", "user", "add", "Anna")
    daybook.refuses(3, "invalid_value", "user", "add", "anna", "--role", "king")
    daybook.refuses(4, "not_found", "key", "make", "nobody")
    daybook.refuses(3, "invalid_value", "access", "who-could", "price.melt")
