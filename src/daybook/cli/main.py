"""The program `daybook`: its commands, its global options, and what an error looks like and exits with."""

import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer

from daybook.cli.access import commands as access
from daybook.cli.catalogue import commands as catalogue
from daybook.cli.channel import commands as channel
from daybook.cli.completeness import commands as completeness
from daybook.cli.edit import commands as edit
from daybook.cli.find import commands as find
from daybook.cli.imports import commands as imports
from daybook.cli.inbox import commands as inbox
from daybook.cli.key import commands as key
from daybook.cli.log import commands as log
from daybook.cli.options import Data, Debug, GroupHelp, Invocation, Json
from daybook.cli.order import commands as order
from daybook.cli.policy import commands as policy
from daybook.cli.privacy import commands as privacy
from daybook.cli.product import commands as product
from daybook.cli.run import commands as run
from daybook.cli.schedule import commands as schedule
from daybook.cli.status import commands as status
from daybook.cli.stream import commands as stream
from daybook.cli.text import commands as text
from daybook.cli.trace import commands as trace
from daybook.cli.undo import commands as undo
from daybook.cli.user import commands as user
from daybook.errors import DaybookError, InvalidValue

UNEXPECTED, USAGE, INTERRUPTED = 1, 2, 130
EXITS = {
    "invalid_value": 3,
    "malformed_record": 3,
    "import_refused": 3,
    "rows_not_taken": 3,
    "not_found": 4,
    "gone": 4,
    "refused": 5,
    "out_of_stock": 5,
    "version_conflict": 5,
    "command_id_reused": 5,
    "unavailable": 6,
    "not_permitted": 7,
    "unauthenticated": 5,
    "forbidden": 5,
    "folder_in_use": 6,
    "stream_ahead": 5,
    "stream_stopped": 6,
    "bad_configuration": 7,
    "interrupted": INTERRUPTED,
}
"""Error code -> exit code, the only place that knows. Codes that are not named are 1."""

MEANINGS = {
    0: "done, also when there was nothing to change",
    UNEXPECTED: "an unexpected error, or a corrupt log",
    USAGE: "the command line can't be understood",
    3: "a value is malformed, or some rows of an import could not be taken",
    4: "something was named that does not exist, or was erased",
    5: "refused: a rule forbids it, the version moved on, or a command id or stream belongs to something else",
    6: "a server can't be reached, or the data folder is in use; try again",
    7: "a setting is missing or makes no sense, or Postgres lets its role only read",
    status.NOT_WELL: "`daybook status`: something waits longer than it should",
    INTERRUPTED: "Ctrl-C",
}

cli = typer.Typer(
    name="daybook",
    cls=GroupHelp,
    help="The event-sourced product catalogue that keeps every sales channel right and can prove its past.",
    epilog="Exit codes:\n" + "\n".join(f"  {code:<4}{meaning}" for code, meaning in MEANINGS.items()),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PARTS = (
    *(run, status, product, text, completeness, schedule, policy, inbox, order, find, catalogue, edit, undo),
    *(channel, trace, log, stream, imports, user, access, key, privacy),
)
for part in PARTS:
    cli.add_typer(part.app, cls=GroupHelp)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"daybook {installed_version('daybook')}")
        raise typer.Exit


@cli.callback()
def _options(
    ctx: typer.Context,
    data: Data = None,
    json: Json = False,
    debug: Debug = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    ctx.obj.said = {"data": data, "json": json}


def run_with(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Carries out one command line and returns its exit code. Prints; never raises for what goes wrong."""
    said = arguments[: arguments.index("--")] if "--" in arguments else arguments
    as_json, debug = "--json" in said, "--debug" in said
    try:
        _check_text(arguments)
        code = cli(list(arguments), prog_name="daybook", standalone_mode=False, obj=Invocation(environ))
        if code != INTERRUPTED:
            return code if isinstance(code, int) else 0
        raise KeyboardInterrupt  # which the library took for an exit code
    except KeyboardInterrupt:
        return _tell("interrupted", "interrupted", {}, INTERRUPTED, as_json)
    except typer.Abort:
        return _tell("aborted", "aborted: nothing was changed", {}, UNEXPECTED, as_json)
    except typer.TyperException as error:
        return _tell_usage(error, as_json)
    except DaybookError as error:
        if debug:
            _trace(error)
        return _tell(error.code, error.message, error.details, EXITS.get(error.code, UNEXPECTED), as_json)
    except Exception as error:
        if debug:
            _trace(error)
        return _tell_unforeseen(error, debug, as_json)


def _check_text(arguments: Sequence[str]) -> None:
    for one in arguments:
        try:
            one.encode()
        except UnicodeEncodeError:
            raise InvalidValue("argument", "is not UTF-8", ascii(one)) from None


def _tell_unforeseen(error: Exception, debug: bool, as_json: bool) -> int:
    from daybook.postgres import permission  # now, not before: it loads the driver

    if isinstance(error, permission.REFUSALS):
        refusal = permission.in_words(error)
        return _tell(refusal.code, refusal.message, refusal.details, EXITS[refusal.code], as_json)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        # A file that was named: only the system knows all the ways in which it can't be used.
        message = f"{error.filename} can't be used: {error.strerror}. Name another file"
        return _tell("invalid_value", message, {"field": "file"}, EXITS["invalid_value"], as_json)
    hint = "" if debug else " (the same again with --debug shows where)"
    return _tell("error", f"an unexpected error, {type(error).__name__}: {error}{hint}", {}, UNEXPECTED, as_json)


def _tell_usage(error: typer.TyperException, as_json: bool) -> int:
    path = getattr(getattr(error, "ctx", None), "command_path", "daybook")
    if type(error).__name__ == "NoArgsIsHelpError":  # the help was printed already
        return USAGE
    return _tell("usage", f"{error.format_message()} See `{path} --help`.", {}, USAGE, as_json)


def _tell(code: str, message: str, details: Mapping[str, Any], exit_code: int, as_json: bool) -> int:
    if as_json:
        problem = {"code": code, "message": message, "exit": exit_code, "details": dict(details)}
        sys.stderr.write(json.dumps(problem, default=str, ensure_ascii=False) + "\n")
        return exit_code
    from daybook.terminal.render import cell, stderr

    console = stderr()
    console.print(f"daybook: {cell(message)}", style="red", soft_wrap=True)
    more = {name: one for name, one in details.items() if one is not None and str(one) not in message}
    if more:
        console.print(f"  {cell(more)}", style="dim", soft_wrap=True)
    return exit_code


def _trace(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error)
