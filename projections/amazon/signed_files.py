"""What lies at an address that Amazon signed in advance: a feed, its report, the schema of a product type.

These are files on another host: no token, no pace, and sometimes compressed bytes instead of text.
"""

import time
import zlib

import aiohttp
from yarl import URL

from daybook.channel import calls
from daybook.channel.calls import Exchange, exchanges, previewing
from daybook.channel.contract import ChannelUnavailable
from daybook.channel.reach import NetworkReach

IN_FLIGHT_MAX = 32
BYTES_MAX = 64 * 1024 * 1024
"""After decompression. A report on 2,000 messages with the listings' attributes has about 5 MB."""


class SignedFiles:
    """Reads and writes such files; one connection pool, opened on first use."""

    def __init__(self, reach: NetworkReach) -> None:
        """`reach`: where they may be, as the channel's own requests."""
        self._reach = reach
        self._session: aiohttp.ClientSession | None = None

    async def put(self, url: str, data: bytes, content_type: str) -> ChannelUnavailable | None:
        """Uploads the file. `content_type` is part of what was signed: it must be the one that was asked for."""
        found = await self._transfer("PUT", url, data, {"Content-Type": content_type})
        return found if isinstance(found, ChannelUnavailable) else None

    async def get(self, url: str, *, gzipped: bool = False) -> bytes | ChannelUnavailable:
        """The file's content, decompressed when it is `gzipped`."""
        found = await self._transfer("GET", url, None, {})
        if isinstance(found, ChannelUnavailable) or not gzipped:
            return found
        unpacking = zlib.decompressobj(wbits=31)
        try:
            plain = unpacking.decompress(found, BYTES_MAX)
        except zlib.error as error:
            return ChannelUnavailable(f"the document at {_without_signature(url)} does not unpack: {error}")
        if not unpacking.eof:
            return ChannelUnavailable(
                f"the document at {_without_signature(url)} is cut off or longer than {BYTES_MAX} bytes"
            )
        return plain

    async def close(self) -> None:
        """Closes the connection pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _transfer(
        self, method: str, url: str, data: bytes | None, headers: dict[str, str]
    ) -> bytes | ChannelUnavailable:
        where = _without_signature(url)
        if previewing.get():
            return ChannelUnavailable(f"{method} {where} was not sent: this is a preview")
        refusal = self._reach.refusal(url)
        if refusal is not None:
            return ChannelUnavailable(f"{method} {where} was not sent: {refusal}")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._reach.pool(IN_FLIGHT_MAX),
                timeout=aiohttp.ClientTimeout(total=calls.ANSWER_SECONDS_MAX),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        started = time.perf_counter()
        status, failure = None, None
        try:
            # Hazard: the signature covers the address as it is written. Parsed anew, its escapes would be normalised.
            signed = URL(url, encoded=True)
            async with self._session.request(
                method, signed, data=data, headers=headers, allow_redirects=False
            ) as response:
                status = response.status
                content = await calls.whole(response, BYTES_MAX)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failure = f"{type(error).__name__}: {error}".replace(url, where).rstrip(": ")
            return ChannelUnavailable(f"{method} {where} was not answered: {failure}")
        finally:
            kept = exchanges.get()
            if kept is not None:
                took = (time.perf_counter() - started) * 1000
                kept.append(
                    Exchange(
                        method=method,
                        url=where,
                        request=None,
                        status=status,
                        answer=None,
                        milliseconds=took,
                        error=failure,
                    )
                )
        if status != 200:
            return ChannelUnavailable(f"{method} {where}: HTTP {status}")
        return content


def _without_signature(url: str) -> str:
    """The address as the journal may have it: whoever has the signature may read the file."""
    return url.partition("?")[0]
