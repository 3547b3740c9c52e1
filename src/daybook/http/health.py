"""Probes: is the process alive, and can it serve?"""

from collections.abc import Callable, Mapping

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from daybook.app import App
from daybook.errors import DaybookError
from daybook.http.given import TheApp
from daybook.queries.readiness import missing_migrations

Checks = Mapping[str, Callable[[], str | None]]
"""Name -> what is wrong, or None. A check may also raise a DaybookError. It is called for each probe."""

TheChecks = NamedDependency[Checks]


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "live"


class Ready(msgspec.Struct, frozen=True):
    """Whether requests can be served, and what each check says: `ok` or the trouble."""

    ready: bool
    checks: dict[str, str]


@get("/live", summary="Alive?")
async def live() -> Live:
    """The process answers; says nothing about the servers that it needs."""
    return Live()


@get("/ready", sync_to_thread=True, summary="Ready?")
def ready(app: TheApp, checks: TheChecks) -> Response[Ready]:
    """200 when everything that is needed is there, else 503."""
    said = {name: _say(check) for name, check in {"postgres": lambda: _postgres(app), **checks}.items()}
    fine = all(word == "ok" for word in said.values())
    return Response(Ready(fine, said), status_code=200 if fine else 503)


def _postgres(app: App) -> str | None:
    missing = missing_migrations(app.pool)
    return f"not migrated: {', '.join(missing)}" if missing else None


def _say(check: Callable[[], str | None]) -> str:
    try:
        return check() or "ok"
    except DaybookError as error:
        return error.code


HANDLERS = (live, ready)
