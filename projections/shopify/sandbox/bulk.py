"""Bulk operations of Shopify's sandbox: staged uploads, five slots, and one run of the mutation for each line."""

import itertools
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Protocol

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.sandbox import Faults
from daybook_projections.shopify.sandbox.rules import UserErrors

SLOTS = 5


class Host(Protocol):
    """The sandbox that this belongs to."""

    url: str
    faults: Faults

    def run(self, query: str, variables: Payload) -> Payload: ...


class Operation(msgspec.Struct):
    """One bulk operation."""

    id: str
    mutation: str
    lines: list[bytes]
    done_at: float
    status: str = "RUNNING"
    result: bytes = b""


class Bulk:
    """Every bulk operation takes `seconds`, and its lines are carried out at its end."""

    def __init__(self, host: Host, seconds: float, clock: Callable[[], float]) -> None:
        self._host, self.seconds, self._clock = host, seconds, clock
        self.operations_by_id: dict[str, Operation] = {}
        self.end_next = ""
        """The status in which the next operation ends instead of COMPLETED: FAILED, CANCELED or EXPIRED."""
        self.done_before_end = 0
        """So many of its lines are carried out before that, and their results can be had."""
        self._numbers = itertools.count(1)
        self._uploads: dict[str, bytes | None] = {}

    def routes(self) -> list[web.RouteDef]:
        """The storage, which on the real one is another host and knows nothing of the access token."""
        return [web.post("/staged", self.upload), web.get("/bulk/{number}.jsonl", self.download)]

    def stage(self, files: list[Payload]) -> Payload:
        """A place to put each file, named by the parameter `key`."""
        targets = []
        for wanted in files:
            key = f"tmp/1/bulk/{next(self._numbers)}/{wanted['filename']}"
            self._uploads[key] = None
            parameters = [{"name": "key", "value": key}, {"name": "Content-Type", "value": wanted["mimeType"]}]
            targets.append({"url": self._host.url + "/staged", "resourceUrl": None, "parameters": parameters})
        return {"stagedTargets": targets}

    async def upload(self, request: web.Request) -> web.Response:
        """POST /staged: the parameters, then the file."""
        form = _parts(request.headers.get("Content-Type", ""), await request.read())
        key = form.get("key", b"").decode()
        if key not in self._uploads or "file" not in form:
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        self._uploads[key] = form["file"]
        return web.Response(status=204)

    def start(self, mutation: str, path: str) -> Payload:
        """Takes a slot."""
        content = self._uploads.get(path)
        if content is None:
            raise UserErrors("NO_SUCH_FILE", "The JSONL file could not be found", ["stagedUploadPath"])
        if sum(each.status == "RUNNING" for each in self.operations_by_id.values()) >= SLOTS:
            message = "Bulk mutation operations are already in progress. Please wait until one has finished."
            raise UserErrors("OPERATION_IN_PROGRESS", message, [])
        if "productSet" not in mutation:
            raise UserErrors("INVALID_MUTATION", "Only productSet can be run in bulk here", ["mutation"])
        number = next(self._numbers)
        lines = [line for line in content.splitlines() if line.strip()]
        made = Operation(f"gid://shopify/BulkOperation/{number}", mutation, lines, self._clock() + self.seconds)
        self.operations_by_id[made.id] = made
        return {"bulkOperation": {"id": made.id, "status": "CREATED"}}

    def state(self, operation: str) -> Payload | None:
        """How an operation stands."""
        found = self.operations_by_id.get(operation)
        if found is None:
            return None
        done = found.status == "COMPLETED"
        url = f"{self._host.url}/bulk/{found.id.rpartition('/')[2]}.jsonl"
        return {
            "__typename": "BulkOperation",
            "id": found.id,
            "status": found.status,
            "errorCode": "TIMEOUT" if found.status == "FAILED" else None,
            "objectCount": str(len(found.result.splitlines())),
            "url": url if done else None,
            "partialDataUrl": url if found.result and not done else None,
        }

    async def download(self, request: web.Request) -> web.Response:
        """GET /bulk/{number}.jsonl."""
        found = self.operations_by_id.get(f"gid://shopify/BulkOperation/{request.match_info['number']}")
        if found is None or not found.result:
            return web.Response(status=404)
        return web.Response(body=found.result, content_type="application/jsonl")

    def advance(self) -> None:
        """Carries out what is due."""
        if self._host.faults.keep_pending:
            return
        for each in self.operations_by_id.values():
            if each.status == "RUNNING" and self._clock() >= each.done_at:
                lines = each.lines[: self.done_before_end] if self.end_next else each.lines
                each.status, self.end_next = self.end_next or "COMPLETED", ""
                each.result = b"\n".join(self._line(each, number, raw) for number, raw in enumerate(lines))

    def _line(self, operation: Operation, number: int, raw: bytes) -> bytes:
        if self._host.faults.fail_members and number % 2:
            error = {"code": "GENERIC_ERROR", "field": None, "message": "Something went wrong"}
            data = {"productSet": {"product": None, "userErrors": [error]}}
            return msgspec.json.encode({"data": data, "__lineNumber": number})
        try:
            answer = self._host.run(operation.mutation, msgspec.json.decode(raw, type=dict[str, Any]))
        except msgspec.DecodeError as error:
            answer = {"errors": [{"message": str(error)}]}
        return msgspec.json.encode(answer | {"__lineNumber": number})


def _parts(content_type: str, raw: bytes) -> dict[str, bytes]:
    """The parts of a form by name. Not by aiohttp's own reader, which needs a body that nobody has read yet."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + raw)
    parts: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            parts[name] = content
    return parts
