"""Every command for every role, within a scope and outside: what it declares, decided as it would be over HTTP."""

import ast
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from daybook import cli
from daybook.access.authority import Denied, Principal, decide
from daybook.access.permissions import CATEGORY, CHANNEL, DIMENSIONS, LOCATION, PERMISSIONS, PRICE_LIST, ROLES
from daybook.access.state import AccessGrant
from daybook.cli import main, permissions
from daybook.cli.manual import commands
from daybook.cli.options import command
from daybook.cli.permissions import needed
from daybook.commands import requirements
from daybook.events import AccessScope
from daybook.terminal.options import CommonOptions

FOUND = {" ".join(path): found for path, found in commands(main.cli)}
OF_PARAMETER = {
    "channel": (CHANNEL,),
    "list_on": (CHANNEL,),
    "listed_on": (CHANNEL,),
    "category": (CATEGORY,),
    "price_list": (PRICE_LIST,),
    "location": (LOCATION,),
    "sku": (CATEGORY, CHANNEL),
}
"""Name of a parameter -> what it is about. The name of a channel is called `name` in the commands of `channel`."""
NAMES = {
    CHANNEL: ("bol", "amazon"),
    CATEGORY: ("shoes", "bags"),
    PRICE_LIST: ("retail", "b2b"),
    LOCATION: ("main", "out"),
}
"""Dimension -> what is inside the scope of a grant that is narrowed down by it, and what is outside."""


def about(words: str) -> set[str]:
    """The dimensions that the command's own parameters name."""
    parameters = {one.name for one in FOUND[words].params}
    found = {dimension for name, all_ in OF_PARAMETER.items() if name in parameters for dimension in all_}
    return found | ({CHANNEL} if words.startswith("channel ") and "name" in parameters else set())


def principal(role: str, dimension: str | None) -> Principal:
    scope: dict[str, Any] = {dimension: (NAMES[dimension][0],)} if dimension else {}
    given = AccessGrant(
        grant="gr_1",
        user="usr_1",
        role=role,
        scope=AccessScope(**scope),
        granted_at=datetime(2026, 1, 1, tzinfo=UTC),
        granted_by="test",
        position=1,
    )
    return Principal(user="usr_1", login="mia", credential="dbk_1", grants=(given,))


def allowed(words: str, permission: str, role: str, dimension: str | None, outside: bool) -> bool:
    """What the tables say, thought through once more."""
    if permission not in ROLES[role]:
        return False
    known = PERMISSIONS[permission]
    return (
        dimension is None or known.common or (dimension in known.within and dimension in about(words) and not outside)
    )


@pytest.mark.parametrize("words", FOUND)
def test_a_command_is_for_the_roles_that_hold_its_permission_and_within_their_scopes(words: str) -> None:
    for permission in needed(words):
        for role in ROLES:
            for dimension in (None, *DIMENSIONS):
                for outside in (False, True):
                    touched = {one: frozenset({NAMES[one][outside]}) for one in about(words)}
                    decided = decide(principal(role, dimension), permission, touched)
                    said = (permission, role, dimension, "outside" if outside else "inside", decided)
                    assert isinstance(decided, AccessGrant) is allowed(words, permission, role, dimension, outside), (
                        said
                    )
                    if isinstance(decided, Denied):
                        assert "grant" in decided.message, said


def undeclared(found: Iterable[str], declared: Iterable[str]) -> set[str]:
    """Commands without a permission, and permissions without a command."""
    return set(found) ^ set(declared)


def test_every_command_declares_permissions_that_there_are_and_nothing_else_is_declared() -> None:
    assert undeclared(FOUND, permissions.PERMISSIONS) == set()
    assert {one for words in FOUND for one in needed(words)} <= set(PERMISSIONS)


def test_a_command_that_declares_nothing_is_noticed_and_a_declaration_of_none_too() -> None:
    program = typer.Typer()
    for name in ("open", "close"):
        command(program, name, f"daybook {name}")(_nothing)
    found = [" ".join(path) for path, _ in commands(program)]

    assert undeclared(found, ("open", "close")) == set()
    assert undeclared(found, ("open", "shut")) == {"close", "shut"}
    with pytest.raises(KeyError):
        needed("close")


def _nothing(common: CommonOptions) -> None:
    """Does nothing."""


def carried_out() -> Iterator[tuple[str, set[str]]]:
    """The words of each command whose function names commands of the book, and what those need over HTTP."""
    tables = [one for one in vars(requirements).values() if isinstance(one, dict)]
    of_class = {kind.__name__: needs for table in tables for kind, needs in table.items() if isinstance(kind, type)}
    for file in sorted(Path(cli.__file__).parent.glob("*/commands.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                name = ast.literal_eval(node.decorator_list[0].args[1])  # type: ignore[attr-defined]
                imported = (
                    alias.name
                    for one in ast.walk(node)
                    if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("daybook.commands")
                    for alias in one.names
                )
                if needs := {of_class[one] for one in imported if one in of_class}:
                    yield f"{file.parent.name} {name}", needs


CARRIED_OUT = dict(carried_out())


def test_the_commands_that_write_through_the_book_are_found() -> None:
    assert {"product price", "product stock", "access grant", "key revoke"} <= set(CARRIED_OUT) <= set(FOUND)


@pytest.mark.parametrize("words", CARRIED_OUT)
def test_a_command_declares_what_the_book_asks_for_what_it_carries_out(words: str) -> None:
    assert set(needed(words)) == CARRIED_OUT[words]
