"""Many products as one bulk operation: a file with one line of variables for each product, run on Shopify's side.

Upload and start; later ask how it stands, and read the result. A shop runs five of these at once (since version
2026-01), and one must be done within 24 hours. Lines are not ordered among each other, which is why one line is a whole
product: https://shopify.dev/docs/api/usage/bulk-operations/imports.

A limit: when the answer to the start is lost, nobody knows the operation's number. Its products are brought singly,
and the lines are carried out as well, perhaps later: a change that was made in between is undone by them until the
product's next change. The window is the time that Shopify takes to get to the lines.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from daybook.channel.calls import Answer
from daybook.channel.contract import ChannelUnavailable, Payload
from daybook_projections.shopify.graphql import Node, Shop, Stopped, failure
from daybook_projections.shopify.operations import BULK_RUN, BULK_STATE, PRODUCT_SET_LINE, STAGE_UPLOAD

UNDER_WAY = ("CREATED", "RUNNING", "CANCELING")
FILE = "products.jsonl"
LOOK_SECONDS = 1.0
"""One look at an operation serves all who ask within this time."""
RESULTS_KEPT_MAX = 10
LOST = (403, 404, 410)
"""Statuses of a result that is not kept any more: Shopify keeps it for a week."""


class Bulk:
    """The bulk operations of one shop. Results are remembered, so that each is fetched once for all of its lines."""

    def __init__(self, shop: Shop, clock: Callable[[], float] = time.monotonic) -> None:
        self._shop, self._clock = shop, clock
        self.look_seconds = LOOK_SECONDS
        self._looks: dict[str, float] = {}
        self._results: dict[str, dict[int, Node]] = {}
        self._lock = asyncio.Lock()

    async def start(self, lines: Sequence[Payload]) -> str:
        """Starts a productSet for each line's variables; the operation's number. Raises as `Shop.ask` does."""
        path = await self._upload(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        variables = {"mutation": PRODUCT_SET_LINE, "stagedUploadPath": path}
        run = await self._shop.ask(BULK_RUN, "bulkOperationRunMutation", variables)
        return str(run["bulkOperation"]["id"]).rpartition("/")[2]

    async def results(self, number: str) -> Mapping[int, Node] | None:
        """What became of each line, by its number from 0; None while the operation is under way.

        A line that is missing has no result: the operation failed, was cancelled or expired before it, or the result is
        not kept any more. Raises as `Shop.ask` does.
        """
        async with self._lock:
            if number in self._results:
                return self._results[number]
            if self._clock() < self._looks.get(number, 0.0):
                return None
            state = await self._shop.ask(BULK_STATE, "node", {"id": f"gid://shopify/BulkOperation/{number}"})
            if state is not None and state["status"] in UNDER_WAY:
                self._looks[number] = self._clock() + self.look_seconds
                return None
            url = (state or {}).get("url") or (state or {}).get("partialDataUrl")
            results = _lines(await self._shop.fetch("GET", str(url))) if url else {}
            self._looks.pop(number, None)
            if len(self._results) >= RESULTS_KEPT_MAX:
                self._results.pop(next(iter(self._results)))
            self._results[number] = results
            return results

    async def _upload(self, content: bytes) -> str:
        """Puts the file where Shopify says; returns the path by which a bulk operation names it."""
        wanted = {
            "resource": "BULK_MUTATION_VARIABLES",
            "filename": FILE,
            "mimeType": "text/jsonl",
            "httpMethod": "POST",
        }
        staged = await self._shop.ask(STAGE_UPLOAD, "stagedUploadsCreate", {"input": [wanted]})
        target = staged["stagedTargets"][0]
        parameters = {str(each["name"]): str(each["value"]) for each in target["parameters"]}
        boundary = uuid5(NAMESPACE_URL, str(target["url"])).hex
        answer = await self._shop.fetch("POST", str(target["url"]), _multipart(boundary, parameters, content), boundary)
        if answer.status not in (200, 201, 204):
            raise Stopped(ChannelUnavailable(f"the upload for a bulk operation failed (HTTP {answer.status})"))
        return parameters["key"]


def _lines(answer: Answer) -> dict[int, Node]:
    if answer.status in LOST:
        return {}
    if answer.status != 200:
        raise Stopped(failure(answer))
    lines: list[dict[str, Any]] = [msgspec.json.decode(text) for text in answer.text.splitlines() if text.strip()]
    return {int(line["__lineNumber"]): line for line in lines}


def _multipart(boundary: str, parameters: Mapping[str, str], content: bytes) -> bytes:
    """The form of an upload: its parameters, and the file as its last part."""
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parameters.items()
    )
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{FILE}"\r\n'
        "Content-Type: text/jsonl\r\n\r\n"
    )
    return head.encode() + file.encode() + content + f"\r\n--{boundary}--\r\n".encode()
