"""A full sync as one bulk operation: a file with one line of variables for each product, run on Shopify's side.

Upload, start, wait, read the result. A shop runs five of these at once (since version 2026-01), and one must be done
within 24 hours. Lines are not ordered among each other, which is why one line is a whole product.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import msgspec

from daybook.channel.calls import Answer, Calls, Unanswered
from daybook.channel.contract import Payload, Throttled
from daybook.errors import Unavailable
from daybook.events import Rejection
from projections.shopify.documents import BULK_RUN, BULK_STATE, PRODUCT_SET_LINE, STAGE_UPLOAD
from projections.shopify.graphql import Node, Refusal, Shop, Stopped, failure

UNDER_WAY = ("CREATED", "RUNNING", "CANCELING")
FILE = "products.jsonl"


class Synced(msgspec.Struct, frozen=True):
    """What became of each product, by SKU."""

    remote_ids: dict[str, str]
    """Products that are in the shop as they should be -> their ids."""
    rejected: dict[str, tuple[Rejection, ...]]
    """Products that Shopify refused, in its words. The others are not held up by them."""


async def sync(shop: Shop, lines: Mapping[str, Payload], poll_seconds: float) -> Synced:
    """Runs a productSet for each SKU's variables. Raises daybook.errors.Unavailable."""
    if not lines:
        return Synced({}, {})
    try:
        path = await _upload(shop, b"".join(msgspec.json.encode(line) + b"\n" for line in lines.values()))
        run = await shop.ask(
            BULK_RUN, "bulkOperationRunMutation", {"mutation": PRODUCT_SET_LINE, "stagedUploadPath": path}
        )
        url = await _finished(shop, run["bulkOperation"]["id"], poll_seconds)
        return _read(list(lines), await _fetch("GET", url))
    except Refusal as refusal:
        said = "; ".join(f"{each.code}: {each.message}" for each in refusal.rejected("bulk").reasons)
        raise Unavailable(f"Shopify does not take the bulk operation: {said}. Try again when others are done") from None
    except Stopped as stopped:
        raise Unavailable(f"the bulk operation stopped: {stopped.outcome}") from None
    except Unanswered as unanswered:
        raise Unavailable(str(unanswered)) from unanswered


async def _upload(shop: Shop, content: bytes) -> str:
    """Puts the file where Shopify says; returns the path by which a bulk operation names it."""
    wanted = {"resource": "BULK_MUTATION_VARIABLES", "filename": FILE, "mimeType": "text/jsonl", "httpMethod": "POST"}
    staged = await shop.ask(STAGE_UPLOAD, "stagedUploadsCreate", {"input": [wanted]})
    target = staged["stagedTargets"][0]
    parameters = {str(each["name"]): str(each["value"]) for each in target["parameters"]}
    boundary = uuid5(NAMESPACE_URL, str(target["url"])).hex
    answer = await _fetch("POST", str(target["url"]), _multipart(boundary, parameters, content), boundary)
    if answer.status not in (200, 201, 204):
        raise Unavailable(f"the upload for a bulk operation failed (HTTP {answer.status}): {answer.text[:200]}")
    return parameters["key"]


async def _finished(shop: Shop, operation: str, poll_seconds: float) -> str:
    """Waits until it is done; the address of its results."""
    while True:
        try:
            state: Node = await shop.ask(BULK_STATE, "node", {"id": operation})
        except Stopped as stopped:
            if not isinstance(stopped.outcome, Throttled):
                raise
            await asyncio.sleep(stopped.outcome.retry_after_seconds or poll_seconds)
            continue
        if state["status"] == "COMPLETED" and state.get("url"):
            return str(state["url"])
        if state["status"] not in UNDER_WAY:
            raise Unavailable(
                f"the bulk operation {operation} ended as {state['status']} ({state.get('errorCode')}); "
                "a part of it may be done, and it is safe to run again"
            )
        await asyncio.sleep(poll_seconds)


def _read(skus: list[str], answer: Answer) -> Synced:
    if answer.status != 200:
        raise Stopped(failure(answer))
    synced = Synced({}, {})
    for text in answer.text.splitlines():
        line: dict[str, Any] = msgspec.json.decode(text)
        sku, result = skus[line["__lineNumber"]], (line.get("data") or {}).get("productSet") or {}
        errors = result.get("userErrors") or line.get("errors")
        if errors or not result.get("product"):
            synced.rejected[sku] = Refusal(errors or [{"message": "no product"}]).rejected("productSet").reasons
        else:
            synced.remote_ids[sku] = str(result["product"]["id"])
    return synced


async def _fetch(method: str, url: str, content: bytes | None = None, boundary: str = "") -> Answer:
    """One request to an address that Shopify gave: storage that is not the shop's, so without its token."""
    parts = urlsplit(url)
    calls = Calls(f"{parts.scheme}://{parts.netloc}")
    try:
        return await calls.request(
            method,
            url.removeprefix(calls.base_url),
            body=msgspec.Raw(content) if content is not None else None,
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"} if content is not None else None,
            secret=True,
        )
    finally:
        await calls.close()


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
