"""What waits, and why."""

from typing import Any

from litestar import get

from daybook.access.authority import reach
from daybook.queries import waiting
from daybook.queries.waiting import WaitingReport
from daybook.web.declared import QUESTION
from daybook.web.dependencies import InjectedApp, InjectedPrincipal
from daybook.web.needs import needs


@get("/status", **QUESTION, **needs("status.read", listed=True), summary="What waits")
def show_status(app: InjectedApp, principal: InjectedPrincipal) -> WaitingReport:
    """Everything that waits, the worst first: for how long, why, and the next step. 200 also when all is not well."""
    within = reach(principal, "status.read")
    found = waiting.report(app.pool, app.registry)
    return found if within.everything else waiting.of_channels(found, within.channel)


ROUTES: tuple[Any, ...] = (show_status,)
