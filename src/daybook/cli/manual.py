"""The manual of the command line, from the program itself.

`python -m daybook.cli.manual > docs/reference/cli.md` writes it.
"""

import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from daybook.cli.main import MEANINGS, cli
from daybook.cli.permissions import PERMISSIONS, needed

Path = tuple[str, ...]
_OF_ALL = ("data", "json", "debug", "help")


def commands(app: typer.Typer) -> Iterator[tuple[Path, Any]]:
    """Every command with the words that name it, in the order of the help."""
    yield from _below((), get_command(app))


def _below(path: Path, found: Any) -> Iterator[tuple[Path, Any]]:
    for name, one in getattr(found, "commands", {"": None}).items():
        if one is None:
            yield path, found
        else:
            yield from _below((*path, name), one)


def manual(app: typer.Typer) -> str:
    """The page, in Markdown."""
    parts = [
        "# The command line\n",
        "Written by `python -m daybook.cli.manual`; a test checks that it is up to date.\n",
        "Every command takes `--json` (JSON on stdout and nothing else there; an error is a JSON object on stderr with "
        "`code`, `message`, `exit` and `details`), `--data DIR` (the data folder), `--debug` (the traceback of an "
        "error) and `--help`, `-h`. Long lists, such as `log tail`, are JSON Lines.\n",
        "Where a table does not fit the terminal, each row is a block. Into a pipe each row is one line that is never "
        "folded, unless `COLUMNS` says a width.\n",
        "Without `DAYBOOK_POSTGRES` and `DAYBOOK_NATS` a command uses the servers of a `daybook up` that runs on the "
        "same data folder; when there is none it starts servers of its own and stops them at its end. "
        "A question never begins a new Daybook.\n",
        "On the machine of the data folder, and for whoever has the database's password, the command line may do all "
        "that an owner may. The permission of a command is what a key needs to do the same over HTTP.\n",
        "| exit code | meaning |\n|---:|---|\n" + "".join(f"| {code} | {said} |\n" for code, said in MEANINGS.items()),
    ]
    return "\n".join([*parts, *(_section(path, one) for path, one in commands(app))])


def _section(path: Path, found: Any) -> str:
    words = " ".join(path)
    arguments = [one for one in found.params if one.param_type_name == "argument"]
    options = [
        one for one in found.params if one.param_type_name == "option" and one.name not in _OF_ALL and not one.hidden
    ]
    usage = " ".join(f"{one.metavar or _choices(one)}" if one.required else f"[{one.metavar}]" for one in arguments)
    rows = [(one.metavar or _choices(one), one.help) for one in arguments]
    rows += [(" ".join((", ".join(one.opts), _takes(one))).strip(), _option_help(one)) for one in options]
    lines = [f"## daybook {words}\n", f"{found.help}\n"]
    line = " ".join(part for part in ("daybook", words, usage, "[OPTIONS]" if options else "") if part)
    lines.append(f"```\n{line}\n```\n")
    if rows:
        lines.append("| | |\n|---|---|\n" + "".join(f"| `{_cell(name)}` | {_cell(said)} |\n" for name, said in rows))
    examples = textwrap.dedent("\n".join((found.epilog or "").splitlines()[1:]))
    if words in PERMISSIONS:
        lines.append(f"Permission: {' or '.join(f'`{one}`' for one in needed(words))}.\n")
    lines.append("Examples:\n\n```sh\n" + examples + "\n```\n")
    return "\n".join(lines)


def _choices(one: Any) -> str:
    described = getattr(one, "type_descriptor", None) or one.type  # its name before typer 0.28
    return "|".join(getattr(described, "choices", None) or ()) or str(one.name).upper()


def _takes(one: Any) -> str:
    if one.is_flag:
        return ""
    return one.metavar or _choices(one)


def _option_help(one: Any) -> str:
    shown = one.default not in (None, False, ()) and not callable(one.default)
    return f"{one.help} Default: `{one.default}`." if shown else str(one.help)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(manual(cli))
