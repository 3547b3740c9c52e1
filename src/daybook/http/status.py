"""What waits, and why."""

from typing import Any

from litestar import get

from daybook.http.declared import QUESTION
from daybook.http.dependencies import InjectedApp
from daybook.queries import waiting
from daybook.queries.waiting import WaitingReport


@get("/status", **QUESTION, summary="What waits")
def show_status(app: InjectedApp) -> WaitingReport:
    """Everything that waits, the worst first: for how long, why, and the next step. 200 also when all is not well."""
    return waiting.report(app.pool, app.registry)


ROUTES: tuple[Any, ...] = (show_status,)
