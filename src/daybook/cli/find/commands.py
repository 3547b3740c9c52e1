"""`daybook find`: products by what they say, have, lack and show on channels."""

from typing import Annotated

import typer

from daybook.cli.options import command
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer()

Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="TERM", help="Must hold, such as 'prices.default.EUR<20'. May be repeated."),
]

Missing = Annotated[
    list[str] | None,
    typer.Option("--missing", metavar="FIELD", help="Lacks gtin, media, prices, name@nl-NL ... May be repeated."),
]
On = Annotated[str | None, typer.Option("--on", metavar="CHANNEL", help="To be sold there.")]
Rejected = Annotated[bool, typer.Option("--rejected", help="With --on: that channel refused it.")]


@command(
    app,
    "find",
    "daybook find 'rode sokken' --missing gtin --on bol --rejected",
    "daybook find --where family=shoes --where 'prices.default.EUR>=50' --count-by color",
    "daybook find --where 'changed>=2026-03-02' --where by=anna --json",
)
def find(
    common: CommonOptions,
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="Words in any language, a SKU or a GTIN.")
    ] = None,
    where: Where = None,
    missing: Missing = None,
    on: On = None,
    rejected: Rejected = False,
    count_by: Annotated[
        str | None,
        typer.Option("--count-by", metavar="FIELD", help="Count by family, category, channel, kind or an attribute."),
    ] = None,
    after: Annotated[str, typer.Option("--after", metavar="SKU", help="Go on behind this one.")] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many, 1 to 200.")] = 50,
) -> None:
    """Find products, with what they inherit. Words that nothing has are forgiven typing mistakes.

    A term is FIELD=VALUE, or with !=, <, <=, >, >=. Fields: sku (A* too), gtin, kind, family, parent, category (also
    below it), channel, discontinued, has, missing, stock, prices.LIST.CURRENCY, an attribute such as color or
    name@nl-NL; due, accepted, confirmed, rejected, held (=CHANNEL); changed (>= a time or position), by (=WHO).
    """
    from daybook.search.find import Search
    from daybook.terminal.find import views
    from daybook.terminal.find.asked import asked

    wish = asked(text, where, missing, on, rejected)
    with app_for_queries(common) as app:
        found = Search(app, wish).page(after, limit, count_by)
    answer(common, found, views.found(found, count_by))
