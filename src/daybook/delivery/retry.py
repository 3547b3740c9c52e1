"""When a lane is tried again by itself, and what a person has tried again: parked groups and rejected listings."""

import asyncio
import random
from collections.abc import Sequence

import msgspec

from daybook.channel.contract import Manifest
from daybook.delivery.rejected import offer_again
from daybook.postgres.pool import Pool
from daybook.projection import parking

LANE_SECONDS_MIN, LANE_SECONDS_MAX = 0.25, 300.0
WAITING_SECONDS_MAX = 5.0
"""What a lane waits for wakes it; this is for a worker that died before it could."""
WAITING_TRIES_SOON, WAITING_SECONDS_LATER = 100, 60.0
"""What has not come after so many tries, some minutes, is looked for once a minute. Not more seldom: the lane's other
products wait with it."""


def wait_seconds(attempts: int, retry_after: float | None) -> float:
    """Seconds until a lane is tried again after so many failures: doubling, with jitter, unless the channel said."""
    step: float = min(LANE_SECONDS_MAX, LANE_SECONDS_MIN * 2 ** min(attempts, 20))
    return retry_after or step * random.uniform(0.5, 1.0)


def waiting_seconds(attempts: int) -> float:
    """Seconds until what is not there yet is looked for again: soon at first, but not for ever."""
    return min(
        wait_seconds(attempts, None), WAITING_SECONDS_MAX if attempts <= WAITING_TRIES_SOON else WAITING_SECONDS_LATER
    )


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
