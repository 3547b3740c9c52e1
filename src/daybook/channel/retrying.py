"""Trying again what stands still: parked groups by folding them again, rejected listings by offering them again."""

import asyncio
from collections.abc import Sequence

import msgspec

from daybook.channel import parking
from daybook.channel.contract import Manifest
from daybook.channel.rejections import offer_again
from daybook.postgres.pool import Pool


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a retry."""

    projection: str
    back: list[str]
    """Parked groups that go on."""
    parked: list[str]
    """Parked groups that failed again, or were not tried."""
    skus: int
    """SKUs of which something that was rejected is offered again."""
    facets: int


def retry(
    dsn: str,
    pool: Pool,
    manifest: Manifest,
    *,
    keys: Sequence[str] = (),
    skus: Sequence[str] = (),
    code: str | None = None,
    rejected: bool = False,
) -> Retried:
    """Both kinds, unless `keys` (of parked groups) or one of the others, which are about rejections, narrows it down.

    Not to be called in an event loop. Raises NotFound for a key that is not parked or a SKU of which the channel has
    nothing, and Refused when rejections of a read model are asked for.
    """
    only_offers = rejected or bool(skus) or code is not None
    only_parked = bool(keys) and not only_offers
    back = [] if only_offers and not keys else asyncio.run(parking.retry(dsn, manifest, keys))
    parked = [one.key for one in asyncio.run(parking.parked(dsn, manifest))]
    offers = only_offers or not (only_parked or manifest.connector is None)
    offered = offer_again(pool, manifest, skus, code) if offers else None
    return Retried(
        projection=manifest.name,
        back=back,
        parked=parked,
        skus=offered.skus if offered else 0,
        facets=offered.facets if offered else 0,
    )
