"""What all commands have in common: `--json`, `--data`, `--debug`, and for those that write, who and why."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer
from typer.core import TyperCommand, TyperGroup

from daybook.terminal.options import CommonOptions

P = ParamSpec("P")


class _FlagsTakeNothing:
    """Help shows `--json`, never `--json <bool>`, whatever the library thinks of flags in this release."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options and arguments."""
        found: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for one in found:
            if getattr(one, "is_flag", False) and one.metavar is None:
                one.metavar = ""
        return found


class CommandHelp(_FlagsTakeNothing, TyperCommand):
    """A command."""


class GroupHelp(_FlagsTakeNothing, TyperGroup):
    """A group of commands."""


Body = Callable[Concatenate[CommonOptions, P], Any]
"""What a command does: a function of what all commands have in common, and of its own arguments."""


@dataclass
class Invocation:
    """One call of the program: the environment, and options that stood before the command."""

    environ: Mapping[str, str]
    said: dict[str, Any] = field(default_factory=dict)


Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Data folder; DAYBOOK_DATA, or a folder in your home, when not given."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout, and errors as JSON on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Actor = Annotated[
    str | None, typer.Option("--actor", metavar="NAME", help="Who does it; your user name when not given.")
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept in the history.")]
CommandId = Annotated[
    str | None,
    typer.Option(
        "--command-id", metavar="ID", help="An id of your own: the same command again with it is carried out once."
    ),
]
ExpectVersion = Annotated[
    int | None,
    typer.Option("--expect-version", metavar="N", min=0, help="Refuse when the product or stock has moved on from N."),
]

At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="As of a time: 2026-03-01 or 2026-03-01T09:00+01:00; UTC without a zone."
    ),
]
Effective = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="Only from then on, such as 2026-12-01T00:00+01:00; see `schedule`."),
]
Position = Annotated[int | None, typer.Option("--position", metavar="N", help="As of a position of the log.")]

_COMMON: dict[str, tuple[Any, Any]] = {"data": (Data, None), "json": (Json, False), "debug": (Debug, False)}
_WRITING: dict[str, tuple[Any, Any]] = {
    "actor": (Actor, None),
    "reason": (Reason, None),
    "command_id": (CommandId, None),
    "expect_version": (ExpectVersion, None),
}


def command(
    app: typer.Typer,
    name: str,
    *examples: str,
    writes: bool = False,
    dashes: bool = False,
    own: Mapping[str, tuple[Any, Any]] | None = None,
) -> Callable[[Body[P]], Body[P]]:
    """Registers a function as a command. Its first parameter is what all commands have in common.

    `writes` adds the options about who, why and on which version; `own` adds single ones of them. `dashes`: an argument
    may begin with `-`, such as a negative number; only for commands whose arguments are all checked.
    """
    common = {**(_WRITING if writes else own or {}), **_COMMON}

    def register(
        function: Body[P],
    ) -> Body[P]:
        def call(ctx: typer.Context, **values: Any) -> Any:
            invocation: Invocation = ctx.obj
            said = {name: values.pop(name) for name in common}
            said.pop("debug")
            said["data"] = said["data"] or invocation.said.get("data")
            said["json"] = said["json"] or invocation.said.get("json", False)
            return function(CommonOptions(environ=invocation.environ, **said), **values)  # type: ignore[call-arg]

        signature = inspect.signature(function)
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
            *(one.replace(kind=kind) for one in list(signature.parameters.values())[1:]),
            *(inspect.Parameter(name, kind, annotation=a, default=d) for name, (a, d) in common.items()),
        ]
        # Typer reads a command's options from its function's signature.
        call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {one.name: one.annotation for one in parameters}
        call.__doc__ = unfolded(function.__doc__ or "")
        app.command(
            name,
            cls=CommandHelp,
            epilog="\n".join(["Examples:", *(f"  {line}" for one in examples for line in shell_lines(one))]),
            context_settings={"ignore_unknown_options": True} if dashes else None,
        )(call)
        return function

    return register


def unfolded(text: str) -> str:
    """Paragraphs of one line each: where a line of the source ends, none of the terminal has to."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n"))


def shell_lines(example: str) -> list[str]:
    """An example in lines that fit and that a shell takes as they stand."""
    if len(example) <= EXAMPLE_WIDTH:
        return [example]
    lines = [""]
    for word in _WORDS.findall(example):
        if lines[-1].strip() and len(f"{lines[-1]} {word} \\") > EXAMPLE_WIDTH:
            lines[-1] += " \\"
            lines.append(f"    {word}")
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


EXAMPLE_WIDTH = 78
"""What a terminal of 80 columns shows of a line of help."""
_WORD = r"""(?:[^\s"']|"[^"]*"|'[^']*')+"""
_WORDS = re.compile(f"--[\\w-]+ (?!-){_WORD}|{_WORD}")
"""An option stays with its value, and what is quoted stays whole."""

WHO = {"actor": (Actor, None), "reason": (Reason, None)}
"""The options of commands that write many things: who and why, but no command id and no version."""
ONCE = {**WHO, "command_id": (CommandId, None)}
"""Those of commands that begin something, which has no version yet."""
