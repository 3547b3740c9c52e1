"""The source as the architecture tests see it: every module with its imports, parsed once, when first asked for.

Every worker collects these tests, and one runs them: what is parsed at import would be parsed by all.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "daybook"
PROJECTIONS = ROOT / "projections"


@dataclass(frozen=True)
class Module:
    """One file, and what it imports as dotted names."""

    path: Path
    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> tuple[str, ...]:
        return tuple(_imports(self.tree))

    @property
    def room(self) -> str:
        """The part of `src/daybook` it belongs to: a folder, or a file right below."""
        return self.name.split(".")[1]

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


def parse(path: Path, name: str, text: str) -> Module:
    """A module from its text."""
    return Module(path, name, text)


@cache
def modules(folder: Path) -> tuple[Module, ...]:
    """Every module below the folder but tests, in order."""
    top = folder.parent
    paths = sorted(path for path in folder.rglob("*.py") if "tests" not in path.relative_to(top).parts)
    return tuple(parse(path, _name(path.relative_to(top)), path.read_text(encoding="utf-8")) for path in paths)


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    if parts[0] == "projections":  # the folder's name when it is installed
        parts = ("daybook_projections", *parts[1:])
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import would hide where it leads: the name that it yields is allowed nowhere.
            start = "." * node.level + (node.module or "")
            yield from (f"{start}.{alias.name}" for alias in node.names)


def uses(module: Module, *dotted: str) -> list[str]:
    """Which of these names (`os.environ`) the module uses, by attribute or by import, with their lines."""
    found = [
        f"{module}:{node.lineno} {ast.unparse(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in dotted
    ]
    return found + [f"{module} imports {name}" for name in module.imports if name in dotted]
