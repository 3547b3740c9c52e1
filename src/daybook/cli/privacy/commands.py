"""`daybook privacy`: what is known of people, and how it is forgotten."""

from pathlib import Path
from typing import Annotated

import typer

from daybook.cli.options import WHO, command
from daybook.terminal.carry_out import context
from daybook.terminal.context import app_for_commands
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer(
    name="privacy",
    help="Keep, show, export and erase what is known of people. Values are sealed; the log has ids alone.",
    no_args_is_help=True,
)

PersonId = Annotated[str, typer.Argument(metavar="PERSON", help="The id that `privacy add` gave.")]
ValuesFile = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="JSON with name, address, mail, phone; standard input when not given. "
        "Arguments would stand in the shell's history and in the list of processes.",
    ),
]


@command(
    app,
    "add",
    "daybook privacy add --from ada.json",
    'echo \'{"name": "Ada Byron", "mail": "ada@example.com"}\' | daybook privacy add',
    writes=True,
)
def add(common: CommonOptions, file: ValuesFile = None) -> None:
    """Add a person, and tell the id by which Daybook knows him or her. Every field is optional."""
    from daybook.terminal.privacy import people

    found = people.add(common, people.read(file, people.Person))
    answer(common, found, people.added(found))


@command(
    app,
    "change",
    'echo \'{"mail": "ada@example.org", "phone": null}\' | daybook privacy change 01936f1e-7a60-7000-8000-000000000001',
    writes=True,
)
def change(common: CommonOptions, person: PersonId, file: ValuesFile = None) -> None:
    """Change some fields of a person: absent ones stay, null ones are known no more. Older values are not kept."""
    from daybook.terminal.privacy import people

    found = people.change(common, person, people.read(file, people.PersonChange))
    answer(common, found, people.changed(found))


@command(
    app,
    "show",
    "daybook privacy show 01936f1e-7a60-7000-8000-000000000001 --reason 'she asked what we know'",
    own=WHO,
)
def show(common: CommonOptions, person: PersonId) -> None:
    """Show what is known of a person. That it was shown, to whom and why, is recorded first."""
    from daybook.terminal.privacy import people

    sender = context(common, "cli")
    with app_for_commands(common) as on:
        found = on.disclosures.show(person, sender)
    answer(common, found, people.shown(found))


@command(
    app,
    "export",
    "daybook privacy export 01936f1e-7a60-7000-8000-000000000001 > ada.json",
    own=WHO,
)
def export(common: CommonOptions, person: PersonId) -> None:
    """Export everything that is known of a person as JSON, with every event that names the id. It is recorded."""
    from daybook.terminal.privacy import people

    sender = context(common, "cli")
    with app_for_commands(common) as on:
        found = on.disclosures.export(person, sender)
    answer(common, found, people.exported(found))


@command(
    app,
    "erase",
    "daybook privacy erase 01936f1e-7a60-7000-8000-000000000001 --reason 'request of 3 March'",
    own=WHO,
)
def erase(common: CommonOptions, person: PersonId) -> None:
    """Erase a person for good: the key is destroyed, and no copy or backup of what is known can be read any more.

    There is no way back. Once more changes nothing, and finishes an erasure that was cut off.
    """
    from daybook.terminal.privacy import people

    sender = context(common, "cli")
    with app_for_commands(common) as on:
        found = on.erasure.erase(person, sender)
    answer(common, found, people.erased(found))


@command(app, "replay", "daybook privacy replay", own=WHO)
def replay(common: CommonOptions) -> None:
    """After a restore: erase everybody again who was erased since, and end what was cut off. Harmless to repeat."""
    from daybook.terminal.carry_out import actor
    from daybook.terminal.privacy import people

    with app_for_commands(common) as on:
        found = on.erasure.replay(actor(common), "cli")
    answer(common, found, people.replayed(found))


@command(app, "rewrap", "daybook privacy rewrap")
def rewrap(common: CommonOptions) -> None:
    """Seal every person's key with the master key that is first now, after a new one was put above the old one."""
    from daybook.terminal.render import line

    with app_for_commands(common) as on:
        done = on.keys.rewrap()
    answer(common, {"rewrapped": done}, line(f"{done} keys sealed anew" if done else "nothing to do"))
