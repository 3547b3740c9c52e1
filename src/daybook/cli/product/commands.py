"""`daybook product`: what a product is, was and shall be."""

from typing import Annotated, Literal

import typer

from daybook.cli.options import At, Effective, Position, command
from daybook.cli.product.typed import moment, wished
from daybook.terminal.carry_out import carry_out, carry_out_on, context, planned
from daybook.terminal.context import app_for_commands, app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer(name="product", help="Create, change, show and explain products.", no_args_is_help=True)

Sku = Annotated[str, typer.Argument(metavar="SKU", help="Letters, digits and . _ ~ : + - ; at most 64.")]
Channel = Annotated[str, typer.Argument(metavar="CHANNEL", help="A channel's name, see `daybook channel list`.")]
Family = Annotated[str | None, typer.Option("--family", metavar="CODE", help="Which attributes it has.")]
Parent = Annotated[str | None, typer.Option("--parent", metavar="SKU", help="The model of which it is a variant.")]
Kind = Annotated[
    Literal["product", "model", "variant"] | None, typer.Option("--kind", help="A variant when --parent is given.")
]
Axes = Annotated[
    list[str] | None,
    typer.Option("--axis", metavar="ATTRIBUTE", help="For a model: in what its variants differ. May be repeated."),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", help="At most so many, 1 to 1000.")]


@command(
    app,
    "create",
    "daybook product create SKU-1 --family shoes",
    "daybook product create JACKET --kind model --axis color --axis size",
    "daybook product create JACKET-RED-M --parent JACKET",
    writes=True,
)
def create(
    common: CommonOptions, sku: Sku, family: Family = None, parent: Parent = None, kind: Kind = None, axes: Axes = None
) -> None:
    """Create a product, a model with variants, or a variant of a model."""
    from daybook.commands import CreateProduct

    carry_out(common, CreateProduct(sku=sku, family=family, parent=parent, kind=kind, axes=tuple(axes or ())))


@command(
    app,
    "show",
    "daybook product show SKU-1",
    "daybook product show SKU-1 --at 2026-03-01T09:00+01:00",
    "daybook product show SKU-1 --position 1200 --channel bol",
)
def show(
    common: CommonOptions,
    sku: Sku,
    at: At = None,
    position: Position = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="Show what this channel should show then.")
    ] = None,
) -> None:
    """Show a product as it is, or as it was at any moment."""
    from daybook.queries.moment import resolve
    from daybook.terminal.product import views

    with app_for_queries(common) as on:
        found = views.subject(on, sku, resolve(on.reader, at, position), channel)
    answer(common, found, views.shown(found))


@command(
    app,
    "set",
    "daybook product set SKU-1 name 'Winter jacket' --locale en-GB",
    "daybook product set SKU-1 weight '1.2 KILOGRAM'",
    "daybook product set SKU-1 material --unset",
    "daybook product set SKU-1 temperature_min -- -20",
    writes=True,
)
def set_attribute(
    common: CommonOptions,
    sku: Sku,
    attribute: Annotated[str, typer.Argument(metavar="ATTRIBUTE", help="Its code.")],
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help="Read by the attribute's type; list options with commas.")
    ] = None,
    locale: Annotated[str | None, typer.Option("--locale", metavar="TAG", help="Language, such as nl-NL.")] = None,
    scope: Annotated[str | None, typer.Option("--scope", metavar="CODE", help="Channel scope of the value.")] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Remove the value.")] = False,
    at: Effective = None,
) -> None:
    """Set or remove the value of an attribute."""
    from daybook.commands import SetAttributes
    from daybook.events import AttributeChange

    sender = context(common, "cli")
    with app_for_commands(common) as on:
        wish = wished(on.book.reference(), attribute, value, unset)
        change = AttributeChange(attribute=attribute, value=wish, locale=locale, channel=scope)
        carry_out_on(on, common, planned(common, SetAttributes(sku=sku, changes=(change,)), at, sender), sender)


@command(
    app,
    "gtin",
    "daybook product gtin SKU-1 4006381333931",
    "daybook product gtin SKU-1 ''",
    writes=True,
)
def gtin(
    common: CommonOptions,
    sku: Sku,
    number: Annotated[str, typer.Argument(metavar="GTIN", help="The number; '' removes it.")],
    at: Effective = None,
) -> None:
    """Assign the GTIN. A wrong one is kept and flagged."""
    from daybook.commands import AssignGtin

    carry_out(common, AssignGtin(sku=sku, gtin=number or None), at)


@command(
    app,
    "price",
    "daybook product price SKU-1 19.99 EUR --reason 'spring sale'",
    "daybook product price SKU-1 24.50 CHF --list retail",
    "daybook product price SKU-1 17.99 EUR --at 2026-12-01T00:00+01:00",
    writes=True,
    dashes=True,
)
def price(
    common: CommonOptions,
    sku: Sku,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="In major units: 19.99.")],
    currency: Annotated[str, typer.Argument(metavar="CURRENCY", help="ISO 4217, such as EUR.")],
    price_list: Annotated[str, typer.Option("--list", metavar="CODE", help="The price list.")] = "default",
    at: Effective = None,
) -> None:
    """Change the price."""
    from daybook.commands import ChangePrice

    carry_out(common, ChangePrice(sku=sku, amount=amount, currency=currency, price_list=price_list), at)


@command(
    app,
    "stock",
    "daybook product stock SKU-1 count 12",
    "daybook product stock SKU-1 receive 40 --location antwerp",
    "daybook product stock SKU-1 adjust -1 --reason damaged",
    "daybook product stock SKU-1 safety 2",
    writes=True,
    dashes=True,
)
def stock(
    common: CommonOptions,
    sku: Sku,
    what: Annotated[
        Literal["count", "receive", "adjust", "safety"],
        typer.Argument(help="There are N; N more arrived; N more, or fewer; N are held back."),
    ],
    pieces: Annotated[int, typer.Argument(metavar="N", help="Whole pieces.")],
    location: Annotated[str, typer.Option("--location", metavar="CODE", help="The stock location.")] = "main",
    at: Effective = None,
) -> None:
    """Count, receive, adjust or hold back stock."""
    from daybook.commands import AdjustStock, CountStock, ReceiveStock, SetSafetyStock
    from daybook.commands.book import Command

    wishes: dict[str, Command] = {
        "count": CountStock(sku=sku, quantity=pieces, location=location),
        "receive": ReceiveStock(sku=sku, quantity=pieces, location=location),
        "adjust": AdjustStock(sku=sku, delta=pieces, location=location),
        "safety": SetSafetyStock(sku=sku, quantity=pieces, location=location),
    }
    carry_out(common, wishes[what], at)


@command(app, "list", "daybook product list SKU-1 bol", writes=True)
def list_on(common: CommonOptions, sku: Sku, channel: Channel, at: Effective = None) -> None:
    """Sell it on a channel. Variants follow their model."""
    from daybook.commands import ListProduct

    carry_out(common, ListProduct(sku=sku, channel=channel), at)


@command(app, "delist", "daybook product delist SKU-1 bol --reason 'not allowed there'", writes=True)
def delist(common: CommonOptions, sku: Sku, channel: Channel, at: Effective = None) -> None:
    """Take it off a channel."""
    from daybook.commands import DelistProduct

    carry_out(common, DelistProduct(sku=sku, channel=channel), at)


@command(app, "discontinue", "daybook product discontinue SKU-1", writes=True)
def discontinue(common: CommonOptions, sku: Sku, at: Effective = None) -> None:
    """Sell it nowhere any more; its history stays."""
    from daybook.commands import DiscontinueProduct

    carry_out(common, DiscontinueProduct(sku=sku), at)


@command(app, "reinstate", "daybook product reinstate SKU-1", writes=True)
def reinstate(common: CommonOptions, sku: Sku, at: Effective = None) -> None:
    """Sell a discontinued product again where it is listed."""
    from daybook.commands import ReinstateProduct

    carry_out(common, ReinstateProduct(sku=sku), at)


@command(
    app,
    "history",
    "daybook product history SKU-1",
    "daybook product history JACKET-RED-M --inherited --receipts",
    "daybook product history SKU-1 --after 1200 --limit 50 --json",
)
def history(
    common: CommonOptions,
    sku: Sku,
    after: Annotated[int, typer.Option("--after", metavar="N", help="Only what came after this position.")] = 0,
    limit: Limit = 1000,
    inherited: Annotated[bool, typer.Option("--inherited", help="With the changes of its parents.")] = False,
    receipts: Annotated[bool, typer.Option("--receipts", help="With the channels' answers as entries.")] = False,
) -> None:
    """Show who changed what, when and why, and which channels saw it. Oldest first."""
    from daybook.queries.history import history as asked
    from daybook.terminal.product import views

    with app_for_queries(common) as on:
        found = asked(on.reader, sku, limit=limit, after=after, inherited=inherited, receipts=receipts)
    answer(common, found, views.history(found))


@command(
    app,
    "diff",
    "daybook product diff SKU-1 --from 2026-03-01 --to 2026-03-08",
    "daybook product diff SKU-1 --from 1200",
)
def diff(
    common: CommonOptions,
    sku: Sku,
    since: Annotated[str, typer.Option("--from", metavar="MOMENT", help="A time, or a position when all digits.")],
    until: Annotated[str | None, typer.Option("--to", metavar="MOMENT", help="Now when not given.")] = None,
) -> None:
    """Show what differs between two moments, inherited values included."""
    from daybook.queries.diff import diff as asked
    from daybook.terminal.product import views

    with app_for_queries(common) as on:
        moments = moment(on.reader, since), moment(on.reader, until)
        changes = asked(on.reader, sku, *moments)
    found = {"from_position": moments[0].position, "to_position": moments[1].position, "changes": changes}
    answer(common, found, views.changes(changes))
