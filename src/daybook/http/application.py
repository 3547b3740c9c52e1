"""The HTTP application over an `App`."""

from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Router, get
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from daybook.app import App
from daybook.http import (
    access,
    catalogue,
    channels,
    definitions,
    deliveries,
    documents,
    edits,
    events,
    find,
    health,
    histories,
    imports,
    inbox,
    intake,
    keys,
    listings,
    login,
    media,
    orders,
    people,
    policies,
    prices,
    products,
    schedules,
    status,
    stock,
    stream,
    texts,
    traces,
    undo,
    users,
)
from daybook.http.health import Checks
from daybook.web import key_limits, openapi
from daybook.web.authorise import STATE, authorise
from daybook.web.body import StrictJson
from daybook.web.caller import asker, authenticated, caller, granted
from daybook.web.needs import OPEN
from daybook.web.plain_page import PATH
from daybook.web.problems import HANDLERS
from daybook.web.protocol import Api
from daybook.web.rates import Rates
from daybook.web.undeclared import READ, learn, refuse_undeclared

ROUTES: dict[str, tuple[Any, ...]] = {
    "Products": (products, prices, media, stock, listings, histories, undo, schedules, texts),
    "Catalogue": (catalogue, find, edits, imports, definitions, events, stream, traces),
    "Channels": (channels, deliveries, documents),
    "Orders": (orders, intake),
    "People": (people,),
    "Status": (status, policies, inbox),
    "Access": (users, keys, access),
}
"""Tag -> modules with its routes. A path belongs to one tag: the framework answers its OPTIONS once for each router."""


@get("/", include_in_schema=False, **OPEN)
async def root() -> Redirect:
    """The description of the API."""
    return Redirect(PATH)


def create(app: App, checks: Checks | None = None, more: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """The ASGI application. The caller owns `app` and closes it afterwards.

    `checks` are asked by `/health/ready` besides Postgres: name -> a callable that returns what is wrong, or None.
    `more` are further handlers, such as the console's; they declare what they need (`needs`), get `app` as a
    dependency too, and bring their own `/` only under another path. Logging is left as the process has set it up.
    """
    application = Api(
        route_handlers=[
            root,
            *(Router("/api/v1", route_handlers=_routes(modules), tags=[tag]) for tag, modules in ROUTES.items()),
            Router("/auth", route_handlers=login.ROUTES, tags=["Login"]),
            Router("/health", route_handlers=health.ROUTES, tags=["Probes"]),
            *more,
        ],
        dependencies={
            "app": Provide(lambda: app, sync_to_thread=False),
            "checks": Provide(lambda: checks or {}, sync_to_thread=False),
            "caller": Provide(caller, sync_to_thread=False),
            "asker": Provide(asker, sync_to_thread=False),
            "principal": Provide(authenticated, sync_to_thread=False),
            "granted": Provide(granted, sync_to_thread=False),
        },
        dto=StrictJson,
        return_dto=None,
        guards=[authorise, refuse_undeclared],
        exception_handlers=HANDLERS,
        openapi_config=openapi.config(),
        request_max_body_size=app.settings.http.body_bytes,
        state=State(
            {
                STATE: app,
                "body_bytes": app.settings.http.body_bytes,
                key_limits.STATE: Rates(app.settings.http.rate, app.settings.http.concurrent),
            }
        ),
        cors_config=_cors(app.settings.http.origins),
        logging_config=None,
        debug=False,
    )
    learn(application)
    return application


def _cors(origins: Sequence[str]) -> CORSConfig | None:
    """What a browser lets the pages of these origins do: call with a key of their own. No cookie is ever asked for."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", *READ],
        expose_headers=["ETag", "Location", "Idempotent-Replayed", "Retry-After"],
    )


def _routes(modules: tuple[Any, ...]) -> list[Any]:
    return [route for module in modules for route in module.ROUTES]
