"""Probes: is the process alive, and can it serve?"""

from collections.abc import Callable, Mapping

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from daybook.app import App
from daybook.authentication.current import NOBODY_YET
from daybook.errors import DaybookError
from daybook.queries import clock, stream_state, waiting
from daybook.queries.readiness import missing_migrations
from daybook.queries.waiting import WaitingItem
from daybook.web.declared import problems
from daybook.web.dependencies import InjectedApp
from daybook.web.needs import OPEN

Checks = Mapping[str, Callable[[], str | None]]
"""Name -> what is wrong, or None. A check may also raise a DaybookError. It is called for each probe."""

InjectedChecks = NamedDependency[Checks]


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "live"


class Ready(msgspec.Struct, frozen=True):
    """Whether requests can be served, what each check says (`ok` or the trouble), and what waits."""

    ready: bool
    checks: dict[str, str]
    waiting: list[WaitingItem]
    """As in `GET /api/v1/status`, some seconds old at most. One channel's trouble never makes it unready."""


@get("/live", **OPEN, summary="Alive?", responses=problems(400))
async def show_live() -> Live:
    """The process answers; says nothing about the servers that it needs."""
    return Live()


@get(
    "/ready",
    sync_to_thread=True,
    **OPEN,
    summary="Ready?",
    responses=problems(400)
    | {503: ResponseSpec(Ready, description="Not ready: see `checks`", generate_examples=False)},
)
def show_ready(app: InjectedApp, checks: InjectedChecks) -> Response[Ready]:
    """200 when everything that is needed is there, else 503."""
    said = {name: _say(check) for name, check in {"postgres": lambda: _postgres(app), **checks}.items()}
    fine = all(word == "ok" for word in said.values())
    items: list[WaitingItem] = []
    if said["postgres"] == "ok":
        stream = stream_state.read(app.pool)
        # One that is being filled, or whose relay is being started, is told, and the process can serve.
        fine = fine and not stream.unready
        said["stream"] = "ok" if stream.state == "level" else stream.sentence
        if (jump := clock.set_back(app.pool)) is not None:
            said["clock"] = jump
        if not app.access.state().anybody:
            said["access"] = NOBODY_YET
        items = waiting.remembered(app.pool, app.registry).waiting
    return Response(Ready(fine, said, items), status_code=200 if fine else 503)


def _postgres(app: App) -> str | None:
    missing = missing_migrations(app.pool)
    return f"not migrated: {', '.join(missing)}" if missing else None


def _say(check: Callable[[], str | None]) -> str:
    try:
        return check() or "ok"
    except DaybookError as error:
        return error.code


ROUTES = (show_live, show_ready)
