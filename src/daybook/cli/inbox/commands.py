"""`daybook inbox`: commands that other systems publish to NATS, and what of them was refused."""

from typing import Annotated

import typer

from daybook.cli.options import command
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line

app = typer.Typer(
    name="inbox",
    help="Let other systems send commands by NATS, also while Daybook is down, and look after what was refused.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Its number, see `daybook inbox list`.")]


@command(app, "list", "daybook inbox list", "daybook inbox list --json")
def list_refused(
    common: CommonOptions,
    after: Annotated[int, typer.Option("--after", metavar="N", min=0, help="Go on behind this number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many, 1 to 1000.")] = 50,
) -> None:
    """List messages that could not be taken: who sent them, the field, and why. The oldest first."""
    from daybook.inbox.refused import RefusedInbox
    from daybook.terminal.inbox import views

    with app_for_queries(common) as on:
        found = RefusedInbox(on.pool).page(after, limit)
    answer(common, found, views.listed(found))


@command(app, "show", "daybook inbox show 17")
def show(common: CommonOptions, number: Number) -> None:
    """Show a message that was refused, as it came."""
    from daybook.inbox.refused import RefusedInbox
    from daybook.terminal.inbox import views

    with app_for_queries(common) as on:
        found = RefusedInbox(on.pool).show(number)
    answer(common, found, views.shown(found))


@command(
    app,
    "retry",
    "daybook inbox retry 17",
    """daybook inbox retry 17 --data-json '{"sku":"SKU-1","amount":"19.99","currency":"EUR"}'""",
)
def retry(
    common: CommonOptions,
    number: Number,
    corrected: Annotated[
        str | None, typer.Option("--data-json", metavar="JSON", help="The command's fields, corrected.")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also when later messages about its SKU were taken since.")
    ] = False,
) -> None:
    """Take a message after all, as who sent it; corrected, as you. What is still wrong is said, and it stays."""
    from daybook.terminal.inbox.retried import retried

    found = retried(common, number, corrected, anyway)
    changed = "it was so already" if found.position is None else f"position {found.position}"
    answer(common, found, line(f"message {number} is taken: {changed}"))


@command(app, "drop", "daybook inbox drop 17")
def drop(common: CommonOptions, number: Number) -> None:
    """Leave a message out for good."""
    from daybook.inbox.refused import RefusedInbox

    with app_for_queries(common) as on:
        found = RefusedInbox(on.pool).drop(number)
    answer(common, found, line(f"message {number} is left out"))


@command(app, "sender", "daybook inbox sender erp")
def sender(
    common: CommonOptions,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="A user, see `daybook user add --service`.")],
) -> None:
    """Let a user of Daybook send commands: its address on the NATS server of this folder, with a password.

    Of a server elsewhere it says the lines for its configuration. What the user may do, its grants say.
    """
    from daybook.terminal.inbox.senders import added, told

    found = added(common, login)
    answer(common, found, told(found))
