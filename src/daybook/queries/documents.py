"""What a page about a product embeds, made by the channel's own code from its live listing.

The listing is the one that stands in the projection's table, and is delivered from there: nothing is folded here, so an
answer costs the same for a product with one event and for one with thousands. It is as new as the projection is.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from daybook.channel.contract import Payload
from daybook.channel.registry import Registry
from daybook.errors import NotFound
from daybook.log.reader import Reader
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import load
from daybook.projection.generations import Generation, never_ran
from daybook.queries.groups import key_of

QUERIES = load(Path(__file__).with_name("documents.sql"))


class Document(msgspec.Struct, frozen=True):
    """A channel's document about a SKU, and the position up to which its listing has every event."""

    body: Payload
    position: int


def document(pool: Pool, reader: Reader, registry: Registry, channel: str, sku: str) -> Document:
    """The document of one SKU on one channel, from its live listing.

    Raises NotFound when there is no such channel or product, when the channel makes no documents or has never run, and
    when it shows nothing of the SKU; InvalidValue for what is no SKU. Four indexed statements.
    """
    manifest = registry.get(channel)
    if manifest.document is None:
        raise NotFound(f"the channel {channel} makes no documents: ask for its listing instead", channel=channel)
    key = key_of(reader, sku)
    live = fetch(pool, QUERIES["live"], (channel,))
    if not live:
        raise never_ran(channel)
    position, listing = _listing(pool, Generation(channel, live[0][0]), key)
    body = manifest.document(sku, listing, reader.reference(position)) if sku in listing else None
    if body is None:
        raise NotFound(f"the channel {channel} shows nothing of {sku}: its listing says why", channel=channel, sku=sku)
    return Document(body, position)


def _listing(pool: Pool, generation: Generation, key: str) -> tuple[int, Mapping[str, Mapping[str, Payload]]]:
    query = generation.composed(QUERIES["listing_of_group"]).decode()
    rows = fetch(pool, query, {"key": key, "projection": generation.projection, "generation": generation.number})
    listing: dict[str, dict[str, Payload]] = {}
    for _, sku, facet, payload in rows:
        if sku is not None:
            listing.setdefault(sku, {})[facet] = msgspec.json.decode(payload)
    return (rows[0][0] if rows else 0), listing
