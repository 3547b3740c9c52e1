"""Habits that a machine can check: sizes, names, docstrings, purity, and whose words are used where."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.architecture.code import PROJECTIONS, SOURCE, Module, modules, parse, uses
from tests.architecture.layers import LAYERS

MODULE_LINES_MAX = 399
ROOM_LINES_MAX = 4_000
FUNCTION_LINES_MAX = 70
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
MARKETPLACES = re.compile(r"\b(amazon|bol|woocommerce|woo|shopify|ebay|zalando|magento|allegro|etsy)\b", re.IGNORECASE)
PURE_LAYERS = ("the vocabulary", "pure decisions")
PURE_ROOMS = tuple(room for name, steps in LAYERS if name in PURE_LAYERS for step in steps for room in step)
IMPURE_MODULES = {"asyncio", "os", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid", "uuid6"}
IMPURE_IMPORTS = IMPURE_MODULES | {"aiohttp", "nats", "psycopg", "pathlib", "io", "logging"}
IMPURE_CALLS = ("now", "today", "utcnow", "open", "input", "print", "time", "urandom", "uuid4", "new_id")

Function = ast.FunctionDef | ast.AsyncFunctionDef
EVERYTHING = (*modules(SOURCE), *modules(PROJECTIONS))


def by_path(module: Module) -> str:
    """The parameter's name in the test's report."""
    return str(module)


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def undocumented(module: Module) -> list[str]:
    """The module and its public definitions that promise nothing."""
    missing = [] if ast.get_docstring(module.tree) or not module.text.strip() else [f"{module} itself"]
    for node in module.tree.body:
        public = isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
        if public and not ast.get_docstring(node):  # type: ignore[arg-type]
            missing.append(f"{module}:{node.lineno} {node.name}")  # type: ignore[attr-defined]
    return missing


def impure(module: Module) -> list[str]:
    """What makes a module's answer depend on more than its arguments."""
    wrong = [f"{module} imports {name}" for name in module.imports if name.split(".")[0] in IMPURE_IMPORTS]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in IMPURE_CALLS:
                wrong.append(f"{module}:{node.lineno} {ast.unparse(node.func)}()")
    return wrong


def marketplaces(module: Module) -> list[str]:
    """Lines of the core that name a marketplace, but for examples of what one types at the command line."""
    lines = module.text.splitlines()
    return [
        f"{module}:{number} {line.strip()}"
        for number, line in enumerate(lines, 1)
        if MARKETPLACES.search(line) and not (module.room in ("cli", "terminal") and '"daybook ' in line)
    ]


def crowded(found: Iterable[Module], most: int = ROOM_LINES_MAX) -> dict[str, int]:
    """Rooms in which nobody finds anything any more, with their lines."""
    sizes: Counter[str] = Counter()
    for module in found:
        sizes[module.room] += len(module.text.splitlines())
    return {room: lines for room, lines in sorted(sizes.items()) if lines > most}


def pure_modules() -> list[Module]:
    """The rooms that decide, and each channel's listing and mapping with what they use of their own folder."""
    found = [module for module in modules(SOURCE) if module.name != "daybook" and module.room in PURE_ROOMS]
    by_name = {module.name: module for module in modules(PROJECTIONS)}
    waiting = [module for name, module in by_name.items() if name.split(".")[-1] in ("listing", "mapping")]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.append(module)
            used = (name if name in by_name else name.rpartition(".")[0] for name in module.imports)
            waiting += [by_name[name] for name in used if name in by_name]
    return found


@pytest.mark.parametrize("module", EVERYTHING, ids=by_path)
def test_a_module_is_short_its_functions_too_and_its_name_says_something(module: Module) -> None:
    assert len(module.text.splitlines()) <= MODULE_LINES_MAX
    lengths = {f"{one.name}:{one.lineno}": (one.end_lineno or 0) - one.lineno + 1 for one in functions(module.tree)}
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX} == {}
    assert not NAMES_THAT_SAY_NOTHING & set(module.name.split("."))


def test_a_room_is_small_enough_to_know() -> None:
    assert crowded(one for one in modules(SOURCE) if one.name != "daybook") == {}


@pytest.mark.parametrize("module", EVERYTHING, ids=by_path)
def test_a_module_and_what_it_offers_say_what_they_promise(module: Module) -> None:
    assert undocumented(module) == []


@pytest.mark.parametrize("module", pure_modules(), ids=by_path)
def test_what_decides_folds_and_renders_is_pure(module: Module) -> None:
    assert impure(module) == []


def test_the_environment_is_read_at_the_entry_point_and_handed_to_child_processes_only() -> None:
    allowed = {"__main__", "terminal", "embedded", "secret_command"}
    found = [
        line
        for module in EVERYTHING
        if not (module.name.startswith("daybook.") and module.room in allowed)
        for line in uses(module, "os.environ", "os.getenv", "os.environb", "os.putenv")
    ]

    assert found == []


def test_no_marketplace_is_named_outside_of_its_own_folder_and_the_demo() -> None:
    examples = SOURCE / "channel" / "testing" / "__init__.py"  # shows an author's test, which names a channel
    core = [m for m in modules(SOURCE) if m.name != "daybook" and m.room != "demo" and m.path != examples]

    assert [line for module in core for line in marketplaces(module)] == []


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\ndatetime.now()",
        "import random",
        "from os import environ",
        "def f():\n    import time",
        "open('x')",
        "from uuid import uuid4",
    ],
)
def test_the_check_of_purity_can_fail(text: str) -> None:
    assert impure(parse(Path(__file__), "daybook.product.x", text))


@pytest.mark.parametrize(
    "text",
    ["", '"""Doc."""\ndef f(): ...', '"""Doc."""\nclass C:\n    x = 1', "x = 1", '"""Doc."""\nasync def f(): ...'],
)
def test_the_check_of_docstrings_can_fail(text: str) -> None:
    assert bool(undocumented(parse(Path(__file__), "daybook.x", text))) is bool(text)


def test_the_check_of_rooms_counts_all_modules_of_a_room_together() -> None:
    half = "x = 1\n" * (ROOM_LINES_MAX // 2)
    rooms = [parse(Path(__file__), f"daybook.{name}", half) for name in ("log.x", "log.y", "stream.x")]

    assert crowded(rooms) == {}
    assert crowded([*rooms, parse(Path(__file__), "daybook.log", "x = 1")]) == {"log": ROOM_LINES_MAX + 1}


@pytest.mark.parametrize("text", ["# as Amazon does", "url = 'https://api.bol.com'", "shopify = 1"])
def test_the_check_of_marketplaces_can_fail(text: str) -> None:
    assert marketplaces(parse(Path(__file__), "daybook.channel.x", text))


def test_an_example_of_what_one_types_may_name_a_channel() -> None:
    assert not marketplaces(parse(Path(__file__), "daybook.cli.x", '"daybook channel show bol"'))
    assert marketplaces(parse(Path(__file__), "daybook.queries.x", '"daybook channel show bol"'))


@pytest.mark.parametrize("text", ["import os\nos.environ['X']", "import os\nos.getenv('X')", "from os import environ"])
def test_the_check_of_the_environment_can_fail(text: str) -> None:
    assert uses(parse(Path(__file__), "daybook.x", text), "os.environ", "os.getenv")
