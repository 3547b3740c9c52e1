"""The sandbox's file store: documents at addresses that are signed in advance and good for some minutes."""

import secrets
from collections.abc import Callable

import msgspec
from aiohttp import web

from daybook_projections.amazon.sandbox.answers import document_error

SIGNED_SECONDS = 300.0


class File(msgspec.Struct):
    """A document; `content` is None until it was uploaded."""

    id: str
    content_type: str
    content: bytes | None = None


class Files:
    """Documents by id, and the signatures that were given out for them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.signed_seconds = SIGNED_SECONDS
        self.files: dict[str, File] = {}
        self._clock = clock
        self._signatures: dict[str, tuple[str, str, float]] = {}
        """Signature -> method, document, and when it is over."""

    def add(self, content_type: str, content: bytes | None = None) -> File:
        """A new document."""
        file = File(f"amzn1.tortuga.4.eu.{secrets.token_hex(8)}", content_type, content)
        self.files[file.id] = file
        return file

    def address(self, root: str, method: str, file: File) -> str:
        """A signed address under the sandbox's own `root`. As at a real store, the signature has escapes in it."""
        signature = secrets.token_urlsafe(16)
        self._signatures[signature] = (method, file.id, self._clock() + self.signed_seconds)
        return f"{root}/documents/{file.id}?X-Amz-Credential=AKIA%2Fsandbox%2Fs3&X-Amz-Signature={signature}"

    def routes(self) -> list[web.RouteDef]:
        """Where documents are read and written."""
        return [web.put("/documents/{id}", self._transfer), web.get("/documents/{id}", self._transfer)]

    async def _transfer(self, request: web.Request) -> web.Response:
        signature = request.query.get("X-Amz-Signature", "")
        method, file_id, until = self._signatures.get(signature, ("", "", 0.0))
        if (method, file_id) != (request.method, request.match_info["id"]) or "AKIA%2F" not in request.raw_path:
            return document_error("SignatureDoesNotMatch", "The request signature we calculated does not match.")
        if self._clock() >= until:
            return document_error("AccessDenied", "Request has expired")
        file = self.files[file_id]
        if request.method == "GET":
            # As the store does, whatever is in it: nothing tells the client that it is compressed.
            return web.Response(body=file.content, content_type="application/octet-stream")
        if request.headers.get("Content-Type") != file.content_type:
            return document_error("SignatureDoesNotMatch", "The request signature we calculated does not match.")
        file.content = await request.read()
        return web.Response()
