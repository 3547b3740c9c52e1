"""`daybook text`: what machines drafted, and what people say of it."""

from typing import Annotated

import typer

from daybook.cli.options import WHO, command
from daybook.terminal.carry_out import carry_out
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer(
    name="text",
    help="See what machines drafted of the products' texts, approve or reject it, or ask for another draft.",
    no_args_is_help=True,
)

Sku = Annotated[str, typer.Argument(metavar="SKU", help="The product.")]
Attribute = Annotated[str, typer.Argument(metavar="ATTRIBUTE", help="Such as name.")]
Locale = Annotated[str, typer.Argument(metavar="LOCALE", help="Of the draft, such as de-DE.")]
Scope = Annotated[
    str | None, typer.Option("--scope", metavar="SCOPE", help="The channel scope of the value, where it has one.")
]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="HASH", help="The source_hash that was seen: refused when it is another by now."),
]
Engine = Annotated[str, typer.Option("--engine", metavar="NAME", help="Whose draft.")]


@command(
    app,
    "list",
    "daybook text list --state draft",
    "daybook text list --sku SKU-1 --json",
    "daybook text list --locale de-DE --limit 1000",
)
def list_texts(
    common: CommonOptions,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="wanted, draft, stale, rejected or approved.")
    ] = None,
    locale: Annotated[str | None, typer.Option("--locale", metavar="LOCALE", help="Only in this locale.")] = None,
    sku: Annotated[str | None, typer.Option("--sku", metavar="SKU", help="Only of this product.")] = None,
    after: Annotated[
        str | None, typer.Option("--after", metavar="NEXT", help="Go on behind this: the `next` of the page before.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many, 1 to 1000.")] = 50,
) -> None:
    """List texts that are to be in another language: where each stands, and the next step."""
    from daybook.completeness.drafts import page
    from daybook.terminal.text import views

    with app_for_queries(common) as on:
        found = page(on.pool, state=state, locale=locale, sku=sku, after=after, limit=limit)
    answer(common, found, views.listed(found))


@command(app, "status", "daybook text status", "daybook text status --json")
def status(common: CommonOptions) -> None:
    """Count texts by locale and state, with what they cost, and what is still to be paid."""
    from daybook.completeness.drafts import status as asked
    from daybook.terminal.text import views

    with app_for_queries(common) as on:
        found = asked(on.pool)
    answer(common, found, views.counted(found))


@command(
    app,
    "approve",
    "daybook text approve SKU-1 name de-DE",
    "daybook text approve SKU-1 name de-DE --source 9c5e1a30f2b44d17",
    writes=True,
)
def approve(
    common: CommonOptions,
    sku: Sku,
    attribute: Attribute,
    locale: Locale,
    scope: Scope = None,
    source: Source = None,
    engine: Engine = "deepl",
) -> None:
    """Make a draft the product's text; what a person wrote there is not replaced."""
    from daybook.commands.texts import ApproveText

    carry_out(
        common,
        ApproveText(sku=sku, attribute=attribute, locale=locale, scope=scope, source=source, engine=engine),
    )


@command(
    app,
    "approve-all",
    "daybook text approve-all --locale de-DE",
    "daybook text approve-all --sku SKU-1 --limit 1000 --json",
    own=WHO,
)
def approve_all(
    common: CommonOptions,
    locale: Annotated[str | None, typer.Option("--locale", metavar="LOCALE", help="Only in this locale.")] = None,
    sku: Annotated[str | None, typer.Option("--sku", metavar="SKU", help="Only of this product.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many, 1 to 1000.")] = 1000,
) -> None:
    """Approve the drafts that wait and have no problem, as they were seen."""
    from daybook.terminal.text.approvals import approve_many

    approve_many(common, locale, sku, limit)


@command(app, "reject", "daybook text reject SKU-1 name de-DE --reason 'too stiff'", writes=True)
def reject(
    common: CommonOptions,
    sku: Sku,
    attribute: Attribute,
    locale: Locale,
    scope: Scope = None,
    source: Source = None,
    engine: Engine = "deepl",
) -> None:
    """Leave a draft out, and have no other one made of the same source."""
    from daybook.commands.texts import RejectText

    carry_out(
        common,
        RejectText(sku=sku, attribute=attribute, locale=locale, scope=scope, source=source, engine=engine),
    )


@command(app, "retry", "daybook text retry SKU-1 name de-DE --reason 'the glossary is better now'", writes=True)
def retry(
    common: CommonOptions,
    sku: Sku,
    attribute: Attribute,
    locale: Locale,
    scope: Scope = None,
    source: Source = None,
    engine: Engine = "deepl",
) -> None:
    """Ask for another draft of the same source; it is paid for."""
    from daybook.commands.texts import RetryText

    carry_out(
        common,
        RetryText(sku=sku, attribute=attribute, locale=locale, scope=scope, source=source, engine=engine),
    )
