"""`daybook order`: what customers ordered on channels, and what became of it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from daybook.cli.options import ONCE, At, Position, command
from daybook.cli.order.typed import named, ordered, pieces
from daybook.terminal.carry_out import carry_out
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer(
    name="order",
    help="Place orders with their stock, and record what becomes of them.",
    no_args_is_help=True,
)

OrderId = Annotated[str, typer.Argument(metavar="ORDER", help="Its channel and number, such as webshop:1001.")]
Lines = Annotated[
    list[str] | None,
    typer.Option(
        "--line", metavar="LINE=N", help="So many pieces of a line; all there are when not given. Repeatable."
    ),
]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="In major units: 19.99.")]
Currency = Annotated[str, typer.Argument(metavar="CURRENCY", help="ISO 4217, such as EUR.")]
Reference = Annotated[
    str | None, typer.Option("--reference", metavar="TEXT", help="Its own number: told twice, it counts once.")
]
Named = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ORDER]...", help="Such as webshop:1001; all that were refused when none is named."),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", help="At most so many, 1 to 1000.")]


@command(
    app,
    "place",
    "daybook order place webshop:1001 --line SKU-1=2@19.99 --line SKU-2=1@5 --shipping 4.95",
    "daybook order place --from order.json",
    "daybook order place bol:4711 --line SKU-1=1@19.99 --already-sold",
    own=ONCE,
)
def place(
    common: CommonOptions,
    order: Annotated[
        str | None, typer.Argument(metavar="ORDER", help="Its channel and number, such as webshop:1001.")
    ] = None,
    line: Annotated[
        list[str] | None, typer.Option("--line", metavar="SKU=N@PRICE", help="Pieces and the price of one. Repeatable.")
    ] = None,
    currency: Annotated[str, typer.Option("--currency", metavar="CODE", help="ISO 4217.")] = "EUR",
    shipping: Annotated[str, typer.Option("--shipping", metavar="AMOUNT", help="What the shipping costs.")] = "0",
    person: Annotated[
        str | None, typer.Option("--person", metavar="ID", help="Who ordered, as `daybook privacy add` gave it.")
    ] = None,
    already_sold: Annotated[
        bool,
        typer.Option(
            "--already-sold", help="The channel sold it before: record it, and what is not there as oversold."
        ),
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="The order as JSON, as POST /api/v1/orders takes it; - is standard input. With its customer.",
        ),
    ] = None,
) -> None:
    """Place an order and reserve its stock: all of it, or none. The same order again changes nothing."""
    from daybook.commands.order_intake import NewOrder
    from daybook.terminal.order import placing

    if (file is None) == (order is None):
        raise typer.BadParameter("give an ORDER with its lines, or --from FILE")
    if order is None:
        assert file is not None
        new = placing.read(file)
    else:
        channel, number = named(order)
        new = NewOrder(
            channel=channel,
            number=number,
            currency=currency,
            lines=ordered(line or ()),
            shipping=shipping,
            person=person,
            already_sold=already_sold,
        )
    receipt = placing.place(common, new)
    answer(common, receipt, placing.placed(receipt))


@command(
    app,
    "show",
    "daybook order show webshop:1001",
    "daybook order show webshop:1001 --at 2026-03-01T09:00+01:00 --json",
)
def show(common: CommonOptions, order: OrderId, at: At = None, position: Position = None) -> None:
    """Show an order as it is, or as it was: lines, reservations, parcels, money, what others were told."""
    from daybook.queries.moment import resolve
    from daybook.queries.orders import show as asked
    from daybook.terminal.order import views

    with app_for_queries(common) as on:
        now = at is None and position is None
        found = asked(on.reader, on.pool, order, resolve(on.reader, at, position), now=now)
    answer(common, found, views.shown(found))


@command(
    app,
    "list",
    "daybook order list",
    "daybook order list --channel webshop --limit 20 --json",
    "daybook order list --state open",
    "daybook order list --oversold",
)
def list_orders(
    common: CommonOptions,
    channel: Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Only of this channel.")] = None,
    before: Annotated[
        int | None, typer.Option("--before", metavar="N", help="Only those placed before this position.")
    ] = None,
    limit: Limit = 50,
    oversold: Annotated[bool, typer.Option("--oversold", help="Only those with pieces that were not there.")] = False,
    state: Annotated[
        Literal["open", "partly_shipped", "shipped", "cancelled", "returned"] | None,
        typer.Option("--state", help="Only those that are so far."),
    ] = None,
) -> None:
    """List orders, newest first."""
    from daybook.filters.names import check_channel
    from daybook.queries.orders import page
    from daybook.terminal.order import views

    with app_for_queries(common) as on:
        channels = None if channel is None else frozenset({check_channel(on, channel)})
        found = page(on.pool, channels=channels, before=before, limit=limit, oversold=oversold, state=state)
    answer(common, found, views.listed(found))


@command(app, "history", "daybook order history webshop:1001")
def history(
    common: CommonOptions,
    order: OrderId,
    after: Annotated[int, typer.Option("--after", metavar="N", help="Only what came after this position.")] = 0,
    limit: Limit = 1000,
) -> None:
    """Show what happened to an order, who did it and why. Oldest first."""
    from daybook.queries.orders import history as asked
    from daybook.terminal.order import views

    with app_for_queries(common) as on:
        found = asked(on.reader, order, limit=limit, after=after)
    answer(common, found, views.history(found))


@command(app, "pay", "daybook order pay webshop:1001 44.93 EUR --reference tr_1", writes=True)
def pay(common: CommonOptions, order: OrderId, amount: Amount, currency: Currency, reference: Reference = None) -> None:
    """Record a payment."""
    from daybook.commands import PayOrder

    carry_out(common, PayOrder(order=order, amount=amount, currency=currency, reference=reference))


@command(
    app,
    "cancel",
    "daybook order cancel webshop:1001 --cause customer",
    "daybook order cancel webshop:1001 --line 1=1 --reason 'broken on the shelf' --cause out_of_stock",
    writes=True,
)
def cancel(
    common: CommonOptions,
    order: OrderId,
    line: Lines = None,
    cause: Annotated[
        Literal["customer", "out_of_stock", "price", "fraud", "other"],
        typer.Option("--cause", help="Why, in a word that channels understand."),
    ] = "other",
) -> None:
    """Cancel an order, or pieces of it, that was not shipped; its stock is free again."""
    from daybook.commands import CancelOrder

    carry_out(common, CancelOrder(order=order, lines=pieces(line), cause=cause))


@command(
    app,
    "ship",
    "daybook order ship webshop:1001 P-1 --carrier postnl --tracking 3SABCD1234567",
    "daybook order ship webshop:1001 P-2 --line 1=1 --location antwerp",
    writes=True,
)
def ship(
    common: CommonOptions,
    order: OrderId,
    parcel: Annotated[str, typer.Argument(metavar="PARCEL", help="Its name: told twice, it left once.")],
    line: Lines = None,
    carrier: Annotated[str | None, typer.Option("--carrier", metavar="NAME", help="Who brings it.")] = None,
    tracking: Annotated[str | None, typer.Option("--tracking", metavar="CODE", help="How it is followed.")] = None,
    location: Annotated[
        str | None, typer.Option("--location", metavar="CODE", help="Where it left from, when not as reserved.")
    ] = None,
) -> None:
    """Record a parcel that left; its pieces are in stock no more."""
    from daybook.commands import ShipOrder

    wish = ShipOrder(
        order=order, parcel=parcel, lines=pieces(line), carrier=carrier, tracking=tracking, location=location
    )
    carry_out(common, wish)


@command(
    app,
    "return",
    "daybook order return webshop:1001 --line 1=1 --reference RMA-7",
    "daybook order return webshop:1001 --line 1=1 --no-restock --reason broken",
    writes=True,
)
def take_back(
    common: CommonOptions,
    order: OrderId,
    line: Lines = None,
    location: Annotated[
        str | None, typer.Option("--location", metavar="CODE", help="Where it is now, when not where it left from.")
    ] = None,
    restock: Annotated[bool, typer.Option("--restock/--no-restock", help="Whether it may be sold again.")] = True,
    reference: Reference = None,
) -> None:
    """Record pieces that came back."""
    from daybook.commands import ReturnOrder

    wish = ReturnOrder(order=order, lines=pieces(line), location=location, restock=restock, reference=reference)
    carry_out(common, wish)


@command(app, "refund", "daybook order refund webshop:1001 19.99 EUR --reference re_1", writes=True)
def refund(
    common: CommonOptions, order: OrderId, amount: Amount, currency: Currency, reference: Reference = None
) -> None:
    """Record money that went back."""
    from daybook.commands import RefundOrder

    carry_out(common, RefundOrder(order=order, amount=amount, currency=currency, reference=reference))


@command(app, "refused", "daybook order refused", "daybook order refused --json")
def refused(
    common: CommonOptions,
    after: Annotated[int, typer.Option("--after", metavar="N", min=0, help="Leave out so many.")] = 0,
    limit: Limit = 50,
) -> None:
    """List orders that channels told and that could not be taken: the field, why, since when. The oldest first."""
    from daybook.terminal.order import arriving

    with app_for_queries(common) as on:
        found = on.heard.refused(after=after, limit=limit)
    answer(common, found, arriving.refused(found))


@command(app, "retake", "daybook order retake webshop:1001", "daybook order retake")
def retake(common: CommonOptions, order: Named = None) -> None:
    """Take orders that were refused once more: these, or all. What is still wrong is refused again."""
    from daybook.terminal.order import arriving

    with app_for_queries(common) as on:
        found = on.heard.retake(order or None)
    answer(common, found, arriving.retaken(found))


@command(app, "dismiss", "daybook order dismiss webshop:1001")
def dismiss(
    common: CommonOptions,
    order: Annotated[list[str], typer.Argument(metavar="ORDER", help="Such as webshop:1001. Several, if need be.")],
) -> None:
    """Leave refused orders out for good, and remove what they told. A change at their channel tells them anew."""
    from daybook.terminal.order import arriving

    with app_for_queries(common) as on:
        found = on.heard.dismiss(order)
    answer(common, found, arriving.dismissed(found))
