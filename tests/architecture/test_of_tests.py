"""How tests are laid out: what several of them need is a fixture's, and a name is a sentence that fits its line."""

import ast
from pathlib import Path

import pytest

from tests.architecture.code import ROOT, Module, parse

NAME_LENGTH_MAX = 100
FILES = sorted(path for top in ("tests", "projections") for path in (ROOT / top).rglob("test_*.py"))


def module(path: Path) -> Module:
    return parse(path, ".".join(path.relative_to(ROOT).with_suffix("").parts), path.read_text(encoding="utf-8"))


def from_tests(found: Module) -> list[str]:
    """Names that it takes from another test module."""
    return [name for name in found.imports if any(part.startswith("test_") for part in name.split(".")[:-1])]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_module_takes_nothing_from_another_one(path: Path) -> None:
    assert from_tests(module(path)) == []


def test_taking_something_from_a_test_module_is_noticed() -> None:
    text = "from tests.integration.delivery.test_worker import shop\nfrom tests.fixtures.toy_shop import receipts"

    assert from_tests(parse(ROOT / "x.py", "x", text)) == ["tests.integration.delivery.test_worker.shop"]


def test_a_name_of_a_test_fits_its_line() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and len(node.name) > NAME_LENGTH_MAX
    ]

    assert long == []
