"""A query that a module runs by name is in the .sql files that it reads."""

import importlib
import re

import pytest

from tests.architecture.code import SOURCE, Module, modules

USED = re.compile(r'\bQUERIES\["(\w+)"\]')
OWN = [module for module in modules(SOURCE) if USED.search(module.text) and "beside(__file__" in module.text]


@pytest.mark.parametrize("module", OWN, ids=str)
def test_a_query_that_is_run_by_name_is_there(module: Module) -> None:
    there = importlib.import_module(module.name).QUERIES
    assert set(USED.findall(module.text)) <= set(there)


def test_modules_with_queries_are_found() -> None:
    assert "daybook.delivery.journal" in {module.name for module in OWN}
