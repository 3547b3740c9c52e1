"""The parameters of answers that come in pages."""

from typing import Annotated

from litestar.params import QueryParameter

from daybook import limits

AfterKey = Annotated[
    str | None,
    QueryParameter(name="after", description="Go on behind this: the `next` of the page before."),
]
AfterPosition = Annotated[
    int,
    QueryParameter(
        name="after",
        description="Go on behind this position: the `next` of the page before.",
        schema_extra={"minimum": 0},
    ),
]
GroupLimit = Annotated[
    int,
    QueryParameter(
        name="limit",
        description="So many product groups at most.",
        schema_extra={"minimum": 1, "maximum": limits.PAGE.most},
    ),
]
RowLimit = Annotated[
    int,
    QueryParameter(
        name="limit",
        description="So many entries at most.",
        schema_extra={"minimum": 1, "maximum": limits.ROWS.most},
    ),
]
