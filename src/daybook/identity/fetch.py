"""Asks an identity provider, within bounds: no redirect, so many bytes and seconds, https unless it is here."""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from daybook.channel.reach import NetworkReach
from daybook.errors import Unavailable
from daybook.oidc_settings import OidcProvider

ASK_SECONDS = 5.0
ANSWER_BYTES_MAX = 512 * 1024
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


async def ask(
    provider: OidcProvider,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """Status and JSON of the answer. Raises Unavailable, which tells nothing of what was sent.

    A provider may be in a private network: the operator typed its address. Metadata services never are one, and what a
    provider names over http is asked only when it is itself on this machine.
    """
    reach = NetworkReach(private=True, loopback=_ports(url) if provider.local else frozenset())
    if (why := reach.refusal(url)) is not None:
        raise Unavailable(f"the identity provider {provider.name} names {url[:200]}, which is not asked: {why}")
    try:
        async with (
            asyncio.timeout(ASK_SECONDS),
            aiohttp.ClientSession(
                connector=reach.pool(1), auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            session.request(
                "GET" if form is None else "POST",
                url,
                data=form,
                headers={**_HEADERS, **(headers or {})},
                allow_redirects=False,
                ssl=_trusting(provider.ca),
            ) as answer,
        ):
            return answer.status, msgspec.json.decode(await _bounded(answer.content))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError) as error:
        why = "took too long" if isinstance(error, TimeoutError) else type(error).__name__
        raise Unavailable(f"the identity provider {provider.name} did not answer at {url[:200]}: {why}") from error


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    body = b""
    while part := await content.read(64 * 1024):
        body += part
        if len(body) > ANSWER_BYTES_MAX:
            raise ValueError("the answer is too long")
    return body


def _ports(url: str) -> frozenset[int]:
    try:
        parts = urlsplit(url)
        return frozenset({parts.port or (443 if parts.scheme == "https" else 80)})
    except ValueError:
        return frozenset()


def _trusting(ca: Path | None) -> ssl.SSLContext | bool:
    return True if ca is None else ssl.create_default_context(cafile=ca)
