"""Sending again what a channel has acknowledged: chosen SKUs' facets are due once more.

Only what is confirmed is marked: what is under way is sent anyway, and what was rejected is `rejections.offer_again`'s.
Repeating it does no harm but the requests.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from daybook import limits
from daybook.channel.contract import Manifest
from daybook.delivery import lane_rows
from daybook.errors import NotFound, Refused
from daybook.events.codec import CLASSES
from daybook.events.upcasts import UPCASTS
from daybook.postgres.pool import Connection, Pool, reachable
from daybook.postgres.sql import beside
from daybook.values import check_text, parse_locale

QUERIES = beside(__file__, "lane_rows")

LANES_AT_ONCE = 1000
"""Lanes that one transaction locks: a worker waits no longer than for these."""
_TEXTS = "product.attributes_changed."
_TYPES = [name for name in (*CLASSES, *UPCASTS) if name.startswith(_TEXTS)]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which SKUs of a channel. What is given must all hold; without any of it, the whole channel."""

    skus: tuple[str, ...] = ()
    since: int | None = None
    """Facets whose wanted state changed after this position."""
    locale: str | None = None
    """Product groups with a change of a text in this locale, after `since` when it is given. A language alone (`nl`)
    means all its locales (`nl-NL`)."""
    keys: tuple[str, ...] = ()
    """Product groups."""

    @property
    def all(self) -> bool:
        """Whether it is the whole channel."""
        return not self.skus and self.since is None and self.locale is None and not self.keys


class Resynced(msgspec.Struct, frozen=True, kw_only=True):
    """How much is sent again, or would be."""

    channel: str
    skus: int
    facets: int
    dry_run: bool


def resync(pool: Pool, manifest: Manifest, choice: Choice, *, dry_run: bool = False) -> Resynced:
    """Marks the chosen facets due and wakes their lanes, some thousand lanes in a transaction.

    Raises NotFound for a SKU of which the channel has nothing, InvalidValue for a malformed SKU or locale, and Refused
    for a projection that is no channel.
    """
    with reachable(), pool.connection() as conn:
        given = chosen(conn, manifest, choice)
        if dry_run:
            facets, skus = conn.execute(QUERIES["chosen"], given).fetchone() or (0, 0)
            return Resynced(channel=manifest.name, skus=skus, facets=facets, dry_run=True)
        facets = skus = 0
        after = ""
        while lanes := _lanes(conn, given, after):
            marked = _mark(conn, manifest.name, given, lanes)
            facets += len(marked)
            skus += len(set(marked))
            after = lanes[-1]
    return Resynced(channel=manifest.name, skus=skus, facets=facets, dry_run=False)


def distrust(pool: Pool, manifest: Manifest, keys: Sequence[str]) -> None:
    """Has everything that is wanted of some product groups sent again, whatever the channel acknowledged up to now.

    For when what it shows can't be known. What is under way is sent even if it comes to be wanted as it was
    acknowledged before; each is looked for before it is made. For few groups: all lanes at once.
    """
    with reachable(), pool.connection() as conn, conn.transaction():
        lanes = [lane for (lane,) in conn.execute(QUERIES["lanes_of_keys"], (manifest.name, list(keys)))]
        conn.execute(lane_rows.QUERIES["lock_lanes"], (manifest.name, lanes))
        conn.execute(QUERIES["mark_distrusted"], (manifest.name, list(keys)))
        conn.execute(lane_rows.QUERIES["wake_lanes"], (manifest.name, lanes))


def chosen(conn: Connection, manifest: Manifest, choice: Choice) -> dict[str, Any]:
    """The choice as the parameters of the `chosen` queries. Raises as `resync` does."""
    check_channel(manifest)
    since = -1 if choice.since is None else choice.since
    keys = list(choice.keys) or None
    if choice.locale is not None:
        asked = {"types": _TYPES, "since": since, "locale": parse_locale(choice.locale)}
        found = [row[0] for row in conn.execute(QUERIES["keys_with_locale"], asked)]
        keys = [key for key in found if keys is None or key in keys]
    return {
        "channel": manifest.name,
        "since": since,
        "skus": known(conn, manifest.name, choice.skus),
        "keys": keys,
    }


def check_channel(manifest: Manifest) -> None:
    """Raises Refused for a projection to which nothing is sent."""
    if manifest.connector is None:
        raise Refused(f"{manifest.name} is a read model: nothing is sent to it", channel=manifest.name)


def known(conn: Connection, channel: str, skus: Sequence[str]) -> list[str] | None:
    """These SKUs, or None for all. Raises InvalidValue, and NotFound for one of which the channel has nothing."""
    if not skus:
        return None
    wanted = [check_text(sku, "sku", limits.FILTER) for sku in skus]
    there = {row[0] for row in conn.execute(QUERIES["has_deliveries"], (channel, wanted))}
    for sku in wanted:
        if sku not in there:
            raise NotFound(
                f"{channel} shows nothing of {sku}: `daybook channel listing {sku}` says what it should",
                channel=channel,
                sku=sku,
            )
    return wanted


def _lanes(conn: Connection, given: dict[str, Any], after: str) -> list[str]:
    asked = {**given, "after": after, "limit": LANES_AT_ONCE}
    return [row[0] for row in conn.execute(QUERIES["chosen_lanes"], asked)]


def _mark(conn: Connection, channel: str, given: dict[str, Any], lanes: Sequence[str]) -> list[str]:
    """The SKU of each facet that is due now."""
    with conn.transaction():
        conn.execute(lane_rows.QUERIES["lock_lanes"], (channel, list(lanes)))
        marked = conn.execute(QUERIES["mark_chosen"], {**given, "lanes": list(lanes)}).fetchall()
        conn.execute(lane_rows.QUERIES["wake_lanes"], (channel, sorted({lane for _, lane in marked})))
    return [sku for sku, _ in marked]
