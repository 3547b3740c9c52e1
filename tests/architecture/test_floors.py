"""Who may import whom. One table of layers; an import goes down, or stays in its room."""

import ast
import importlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.code import PROJECTIONS, SOURCE, Module, modules, parse
from tests.architecture.layers import CHANNEL_MAY_IMPORT, FOREIGN, HEIGHT, NEVER, STEPS


def upward(found: Iterable[Module]) -> list[str]:
    """Imports of our own that do not go down."""
    wrong = []
    for module in found:
        for name in module.imports:
            if not name.startswith("daybook.") or name.split(".")[1] == module.room:
                continue
            target = name.split(".")[1]
            if target not in HEIGHT or HEIGHT[target] >= HEIGHT[module.room]:
                wrong.append(f"{module} imports {name}")
    return wrong


def forbidden(found: Iterable[Module]) -> list[str]:
    """Imports that a pair of rooms must never have."""
    never = {(room, target) for room, target, _ in NEVER}
    return [
        f"{module} imports {name}"
        for module in found
        for name in module.imports
        if name.startswith("daybook.") and (module.room, name.split(".")[1]) in never
    ]


def twice(found: Iterable[Module]) -> dict[str, list[str]]:
    """Public classes whose name stands in more than one module: a reader must not have to ask which one is meant."""
    where: dict[str, list[str]] = {}
    for module in found:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(str(module))
    return {name: places for name, places in sorted(where.items()) if len(places) > 1}


def foreign(found: Iterable[Module]) -> list[str]:
    """Imports of foreign libraries outside of their rooms, and relative ones, which hide where they lead."""
    wrong = []
    for module in found:
        room = module.room if module.name.startswith("daybook.") else "projections"
        for name in module.imports:
            top = name.split(".")[0]
            if top in sys.stdlib_module_names or top in ("daybook", "daybook_projections", "msgspec"):
                continue
            if room not in FOREIGN.get(top, ((), ""))[0]:
                wrong.append(f"{module} imports {name}")
    return wrong


def beyond_the_contract(found: Iterable[Module]) -> list[str]:
    """What a channel's folder imports of us or of another channel against the rules."""
    wrong = []
    for module in found:
        own = ".".join(module.name.split(".")[:2])
        for name in module.imports:
            if name.split(".")[0] not in ("daybook", "daybook_projections"):
                continue
            if not any(name == one or name.startswith(f"{one}.") for one in (*CHANNEL_MAY_IMPORT, own)):
                wrong.append(f"{module} imports {name}")
    return wrong


def test_every_room_has_a_place_and_every_place_a_room() -> None:
    rooms = {module.room for module in modules(SOURCE) if module.name != "daybook"}

    assert rooms == set(HEIGHT)
    assert sum(len(step) for step in STEPS) == len(HEIGHT), "a room stands twice"


def test_imports_go_down_only() -> None:
    inside = [module for module in modules(SOURCE) if module.name != "daybook"]

    assert upward(inside) == []


def test_pairs_that_must_never_meet_do_not() -> None:
    assert forbidden(modules(SOURCE)) == []


def test_a_public_class_has_its_name_for_itself() -> None:
    assert twice(modules(SOURCE)) == {}


def test_nothing_in_the_core_knows_a_channel() -> None:
    assert [f"{one} imports {name}" for one in modules(SOURCE) for name in one.imports if "projections" in name] == []


def test_a_channel_knows_the_contract_and_its_own_folder() -> None:
    assert beyond_the_contract(modules(PROJECTIONS)) == []


def test_a_foreign_library_stays_in_its_rooms() -> None:
    assert foreign([*(m for m in modules(SOURCE) if m.name != "daybook"), *modules(PROJECTIONS)]) == []


@pytest.mark.parametrize("library", sorted(FOREIGN))
def test_a_room_that_may_import_a_library_does_or_is_taken_off_the_list(library: str) -> None:
    there = {
        module.room if module.name.startswith("daybook.") else "projections"
        for module in (*modules(SOURCE), *modules(PROJECTIONS))
        if any(name.split(".")[0] == library for name in module.imports)
    }

    assert set(FOREIGN[library][0]) == there


MADE_UP = Path(__file__)


@pytest.mark.parametrize(
    ("check", "name", "text"),
    [
        (upward, "daybook.events.x", "from daybook.log.reader import Reader"),
        (upward, "daybook.product.x", "from daybook.stock.state import Stock"),
        (upward, "daybook.log.x", "def f():\n    from daybook import commands"),
        (upward, "daybook.log.x", "import daybook.nowhere"),
        (upward, "daybook.projection.x", "from daybook.delivery.worker import Delivery"),
        (upward, "daybook.queries.x", "from daybook.roles.processes import run"),
        (forbidden, "daybook.delivery.x", "from daybook.commands.book import Book"),
        (forbidden, "daybook.commands.x", "from daybook import projection"),
        (forbidden, "daybook.channel.x", "from daybook.postgres.pool import connect"),
        (twice, "daybook.log.x", "class A: ...\nclass A: ..."),
        (foreign, "daybook.commands.x", "import psycopg"),
        (foreign, "daybook.http.x", "from nats.js import api"),
        (foreign, "daybook.http.x", "from . import answers"),
        (foreign, "daybook.values", "import leftpad"),
        (foreign, "daybook_projections.east.connector", "import httpx"),
        (beyond_the_contract, "daybook_projections.east.listing", "from daybook_projections.west.listing import fold"),
        (beyond_the_contract, "daybook_projections.east.connector", "from daybook.log.reader import Reader"),
        (beyond_the_contract, "daybook_projections.east.connector", "from daybook import config"),
        (beyond_the_contract, "daybook_projections.east.connector", "from daybook.channel import delivery"),
    ],
)
def test_the_checks_can_fail(check: object, name: str, text: str) -> None:
    assert len(check([parse(MADE_UP, name, text)])) == 1  # type: ignore[operator]


def test_only_the_handover_writes_what_is_due_from_the_side_that_folds() -> None:
    handed_over = re.compile(r"(INTO|UPDATE|FROM) (deliveries|lanes|remote_ids)\b(?=[^;]*)")
    allowed = {"due.sql"}

    folders = (SOURCE / "projection", SOURCE / "rebuild")
    files = (file for folder in folders for file in folder.rglob("*.sql"))
    found = [file for file in files if "migrations" not in file.parts and file.name not in allowed]

    assert [str(file) for file in found if handed_over.search(file.read_text())] == []


def test_a_query_stands_beside_the_module_that_runs_it() -> None:
    assert [file for file in SOURCE.glob("[dp]*/*.sql") if not file.with_suffix(".py").exists()] == []


@pytest.mark.parametrize(
    "module", [one for one in modules(SOURCE) if re.search(r"(?<!\w)QUERIES\[", one.text)], ids=str
)
def test_a_query_that_a_module_runs_is_there(module: Module) -> None:
    loaded = importlib.import_module(module.name)
    wanted = re.findall(r"(?:(\w+)\.)?(?<!\w)QUERIES\[\"(\w+)\"\]", module.text)

    assert [
        (where, name)
        for where, name in wanted
        if name not in (getattr(loaded, where).QUERIES if where else loaded.QUERIES)
    ] == []
