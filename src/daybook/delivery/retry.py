"""When a lane is tried again by itself, and what a person has tried again: parked groups and rejected listings."""

import asyncio
import random

import msgspec

from daybook.channel.contract import Manifest
from daybook.delivery.rejected import offer_again, offered_again
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


class RetryChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What to try again of what stands still; nothing that is named is all of it.

    `keys` are of parked groups, the others about rejections: either narrows the retry down to its kind.
    """

    keys: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    code: str | None = None
    rejected: bool = False

    def groups_of(self) -> bool:
        """Whether parked groups are meant."""
        return bool(self.keys) or not self._only_offers

    def facets_of(self, manifest: Manifest) -> bool:
        """Whether rejected facets are meant: to a read model nothing is offered unless that is asked for."""
        return self._only_offers or not (self.keys or manifest.connector is None)

    @property
    def _only_offers(self) -> bool:
        return self.rejected or bool(self.skus) or self.code is not None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what was chosen stands still."""

    groups: int
    facets: int


def standing(dsn: str, pool: Pool, manifest: Manifest, choice: RetryChoice) -> Standing:
    """What `retry` would try again. Raises as it does; changes nothing. Not to be called in an event loop."""
    groups = len(asyncio.run(parking.chosen(dsn, manifest, choice.keys))) if choice.groups_of() else 0
    facets = offered_again(pool, manifest, choice.skus, choice.code) if choice.facets_of(manifest) else 0
    return Standing(groups=groups, facets=facets)


def retry(dsn: str, pool: Pool, manifest: Manifest, choice: RetryChoice) -> Retried:
    """Folds parked groups again and offers rejected facets again. Not to be called in an event loop.

    Raises NotFound for a key that is not parked or a SKU of which the channel has nothing, and Refused when rejections
    of a read model are asked for.
    """
    back = asyncio.run(parking.retry(dsn, manifest, choice.keys)) if choice.groups_of() else []
    parked = [one.key for one in asyncio.run(parking.parked(dsn, manifest))]
    offered = offer_again(pool, manifest, choice.skus, choice.code) if choice.facets_of(manifest) else None
    return Retried(
        projection=manifest.name,
        back=back,
        parked=parked,
        skus=offered.skus if offered else 0,
        facets=offered.facets if offered else 0,
    )
