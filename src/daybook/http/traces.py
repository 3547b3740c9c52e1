"""What one cause led to."""

from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter

from daybook import limits
from daybook.queries.trace import CauseTrace, trace
from daybook.web.declared import QUESTION
from daybook.web.dependencies import InjectedApp
from daybook.web.needs import needs

CorrelationId = Annotated[
    str,
    QueryParameter(
        name="correlation_id",
        description="As receipts, events and histories have it: a command's own id where none was named. Or an event's "
        "position.",
        schema_extra={"minLength": 1, "maxLength": limits.NAME.most},
    ),
]


@get("/trace", **QUESTION, **needs("log.read"), summary="A trace")
def show_trace(app: InjectedApp, correlation_id: CorrelationId) -> CauseTrace:
    """The tree of one cause with its times: commands, events, what channels should show of them, calls, answers."""
    return trace(app.pool, correlation_id)


ROUTES: tuple[Any, ...] = (show_trace,)
