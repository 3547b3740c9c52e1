"""The HTTP application over an `App`."""

from collections.abc import Sequence

from litestar import Litestar, Router, get
from litestar.di import Provide
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from daybook.app import App
from daybook.http import adding, catalogue, channels, docs, documents, health, products, questions, stock
from daybook.http.body import StrictJson
from daybook.http.caller import caller
from daybook.http.health import Checks
from daybook.http.problems import HANDLERS

BODY_BYTES_MAX = 2 * 1024 * 1024


@get("/", include_in_schema=False)
async def root() -> Redirect:
    """The description of the API."""
    return Redirect(docs.PATH)


def create(app: App, checks: Checks | None = None, more: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """The ASGI application. The caller owns `app` and closes it afterwards.

    `checks` are asked by `/health/ready` besides Postgres: name -> a callable that returns what is wrong, or None.
    `more` are further handlers, such as the console's; they get `app` as a dependency too, and bring their own `/`
    only under another path. Logging is left as the process has set it up.
    """
    return Litestar(
        route_handlers=[
            root,
            # One router: Litestar answers OPTIONS for each path of a router, and refuses a second answer.
            Router(
                "/api/v1",
                route_handlers=[
                    *questions.HANDLERS,
                    *documents.HANDLERS,
                    *products.HANDLERS,
                    *stock.HANDLERS,
                    *catalogue.HANDLERS,
                    *adding.HANDLERS,
                    *channels.HANDLERS,
                ],
            ),
            Router("/health", route_handlers=health.HANDLERS),
            *more,
        ],
        dependencies={
            "app": Provide(lambda: app, sync_to_thread=False),
            "checks": Provide(lambda: checks or {}, sync_to_thread=False),
            "caller": Provide(caller, sync_to_thread=False),
        },
        dto=StrictJson,
        return_dto=None,
        exception_handlers=HANDLERS,
        openapi_config=docs.config(),
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
        debug=False,
    )
