"""One product on every channel."""

import msgspec

from daybook.app import App
from daybook.errors import InvalidValue
from daybook.queries.channels import Attempt, Channels, FacetStatus
from daybook.queries.groups import key_of_subject


class Listings(msgspec.Struct, frozen=True):
    """Channel -> facet by facet, and channel -> the requests that were made, oldest first."""

    sku: str
    channels: dict[str, list[FacetStatus]]
    attempts: dict[str, list[Attempt]]


def of(app: App, sku: str, channel: str | None, attempts: bool, generation: int | None = None) -> Listings:
    """The product on one channel, or on all that ever ran. Raises NotFound for an unknown SKU or channel."""
    if generation is not None and channel is None:
        raise InvalidValue("generation", "belongs to one channel: name it with --channel", generation)
    key_of_subject(app.reader, sku)
    channels = Channels(app.pool, app.registry)
    # A projection without connector is no channel; one that is not installed any more may have been.
    unsold = {one.name for one in app.registry.all() if one.connector is None}
    every = [one.name for one in channels.all() if one.name not in unsold]
    names = [channels.status(channel).name] if channel else every
    return Listings(
        sku,
        {name: channels.listing(name, sku, generation) for name in names},
        {name: channels.attempts(name, sku) for name in names} if attempts else {},
    )
