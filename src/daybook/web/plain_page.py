"""The description of the API as one plain page that loads nothing from elsewhere."""

import hashlib
from base64 import b64encode
from html import escape
from typing import Any

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

PATH = "/schema"
METHODS = ("get", "put", "post", "patch", "delete")
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
:root { color-scheme: light dark }
code { font-size: .95em } section { border-top: 1px solid #8886; padding: .75rem 0 } p { margin: .25rem 0 }
b { display: inline-block; min-width: 4.5rem }
"""
STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
"""By which a browser knows the page's own style from any other."""


class PlainPage(OpenAPIRenderPlugin):
    """Every operation with its summary, parameters and body. No script, no font, no request to another host."""

    def __init__(self) -> None:
        super().__init__(path="/")
        self._made: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page, made once."""
        if self._made is None:
            self._made = _page(openapi_schema)
        return self._made


def _page(openapi_schema: dict[str, Any]) -> bytes:
    title = escape(openapi_schema["info"]["title"])
    operations = "".join(
        _operation(path, method, item[method])
        for path, item in sorted(openapi_schema["paths"].items())
        for method in METHODS
        if method in item
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f'<h1>{title}</h1><p>For machines: <a href="{PATH}/openapi.json">openapi.json</a>, '
        f'<a href="{PATH}/openapi.yaml">openapi.yaml</a>.</p>{operations}</html>'
    ).encode()


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    lines = [f"<p><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}</p>"]
    if operation.get("description"):
        lines.append(f"<p>{escape(operation['description'])}</p>")
    if parameters:
        lines.append(f"<p>Parameters: <code>{escape(', '.join(parameters))}</code></p>")
    if "$ref" in body:
        lines.append(f"<p>Body: <code>{escape(body['$ref'].rpartition('/')[2])}</code></p>")
    return f"<section>{''.join(lines)}</section>"
