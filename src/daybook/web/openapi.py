"""The API's own description: OpenAPI as JSON and YAML, and one plain page.

The framework writes it from the signatures. What it can't know is added here: bounds, examples, and the headers of an
answer with two statuses. What it gets wrong is put right: a command's tag need not be sent, and a tuple is no YAML.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from litestar import Request, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, Contact, License, Reference, SecurityScheme, Server, Tag
from litestar.types import Method

from daybook.web import cookies
from daybook.web.bounds import BOUNDS
from daybook.web.examples import EXAMPLES
from daybook.web.needs import OPEN
from daybook.web.plain_page import METHODS, PATH, PlainPage
from daybook.web.problems import MEDIA_TYPE

KEY, TOKEN, SESSION, CSRF = "key", "token", "session", "csrf"
_SCHEMES: dict[str, SecurityScheme | Reference] = {
    KEY: SecurityScheme(type="http", scheme="bearer", description="`Authorization: Bearer dbk_…`"),
    TOKEN: SecurityScheme(
        type="http",
        scheme="bearer",
        bearer_format="JWT",
        description="A token of an identity provider, in the same way",
    ),
    SESSION: SecurityScheme(
        type="apiKey", name=cookies.SESSION, security_scheme_in="cookie", description="A login at `/auth/login`"
    ),
    CSRF: SecurityScheme(
        type="apiKey",
        name="X-CSRF-Token",
        security_scheme_in="header",
        description="With a session, for changes: as `/auth/me` has it. `Origin` must be the server's own",
    ),
}
TAGS = {
    "Products": "Products as they are and were, and commands about one",
    "Catalogue": "The whole catalogue, its model, and the log",
    "Channels": "Where products are sold, and how that goes",
    "Orders": "What customers ordered on channels, and what became of it",
    "People": "What is known of people: kept apart, shown, erased",
    "Status": "What waits, and why",
    "Access": "Users, their keys, and what they may do and could do",
    "Login": "With a browser and an identity provider, and out again",
    "Probes": "For whoever looks after the process",
}


_SHOWN: dict[str, dict[str, Any]] = {
    **{name: {"security": []} for name in ("begin_login", "finish_login", "show_live", "show_ready")},
    "show_session": {"security": [{SESSION: []}]},
    "log_out": {"security": [{SESSION: [], CSRF: []}]},
}
"""What shows who one is where it is not as everywhere else."""
_BEFORE_ANY_ROUTE = {
    "408": "The body did not come in time",
    "421": "The `Host` is no name of this server",
    "429": "More than one address, or one key, may send: come again after `Retry-After`",
    "431": "The address and the headers are too large, or too many",
}
"""What any request may be answered before it reaches its route: no route can say it."""
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_RETRY_AFTER = {"schema": {"type": "integer"}, "description": "Seconds."}


class _Json(JsonRenderPlugin):
    _made: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document; made once, as it takes tens of milliseconds in which nobody else is served."""
        if self._made is None:
            self._made = super().render(request, finished(openapi_schema))
        return self._made


class _Yaml(YamlRenderPlugin):
    _made: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The same as YAML, made once: that takes seconds."""
        if self._made is None:
            self._made = super().render(request, finished(openapi_schema))
        return self._made


def config() -> OpenAPIConfig:
    """The OpenAPI document, at `/schema`."""
    return OpenAPIConfig(
        title="Daybook",
        version=version("daybook"),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        contact=Contact(name="Daybook"),
        servers=[Server(url="/")],
        path=PATH,
        openapi_router=Router(PATH, route_handlers=[], include_in_schema=False, dto=None, return_dto=None, opt=OPEN),
        components=Components(security_schemes=_SCHEMES),
        security=[{KEY: []}, {TOKEN: []}, {SESSION: [], CSRF: []}],
        tags=[Tag(name=name, description=said) for name, said in TAGS.items()],
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        render_plugins=[PlainPage(), _Json(), _Yaml()],
    )


def finished(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what the framework can't know."""
    made: dict[str, Any] = _plain(document)
    for name, schema in made["components"]["schemas"].items():
        _finish_schema(schema, BOUNDS.get(name, {}), EXAMPLES.get(name, ()))
    for path in made["paths"].values():
        for method in METHODS:
            if method in path:
                path[method].update(_SHOWN.get(path[method].get("operationId"), {}))
                _finish_responses(path[method]["responses"], "requestBody" in path[method])
    return made


def _operation_id(handler: HTTPRouteHandler, method: Method, path: list[Any]) -> str:
    """The handler's name, which no other has."""
    return handler.handler_name


def _plain(given: Any) -> Any:
    """Dicts and lists all the way down, of nobody else."""
    if isinstance(given, Mapping):
        return {str(key): _plain(value) for key, value in given.items()}
    return [_plain(one) for one in given] if isinstance(given, list | tuple) else given


def _finish_schema(schema: dict[str, Any], bounds: Mapping[str, Mapping[str, Any]], examples: Any) -> None:
    members = schema.get("properties", {})
    if "const" in members.get("type", {}):
        schema["required"] = [name for name in schema.get("required", ()) if name != "type"]
    for name, bound in bounds.items():
        # What may also be null is a choice, and the bound belongs to the other one.
        choices = [one for one in members[name].get("oneOf", ()) if one.get("type") != "null"] or [members[name]]
        choices[0].update(bound)
    if examples:
        schema["examples"] = list(_plain(examples))


def _finish_responses(responses: dict[str, Any], reads: bool) -> None:
    """`reads`: the request has a body, for which somebody may wait too long."""
    for status, description in _BEFORE_ANY_ROUTE.items():
        if status != "408" or reads:
            responses.setdefault(status, {"description": description, "content": _PROBLEM})
    responses["429"].setdefault("headers", {})["Retry-After"] = _RETRY_AFTER
    if "200" in responses and "201" in responses:
        location = {"schema": {"type": "string"}, "description": "Where it is found."}
        responses["201"]["headers"] = {"Location": location, **responses["200"].get("headers", {})}
    elif "201" in responses:
        location = {"schema": {"type": "string"}, "description": "Where it is found."}
        responses["201"].setdefault("headers", {})["Location"] = location
