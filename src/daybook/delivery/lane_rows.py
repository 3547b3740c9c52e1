"""What there is to do in a channel's lanes, as it stands in Postgres."""

from collections.abc import Sequence

from daybook.channel.contract import Manifest
from daybook.delivery.lane_results import LaneRow
from daybook.postgres.pool import AsyncConnection, pipeline
from daybook.postgres.sql import beside
from daybook.projection.generations import Generation

QUERIES = beside(__file__)


async def read_work(
    conn: AsyncConnection, manifest: Manifest, generation: Generation, lanes: Sequence[str]
) -> tuple[list[LaneRow], dict[str, dict[str, str]]]:
    """The lanes' rows in the order in which `Lane.work` takes them, and the channel's ids by group and SKU."""
    name, counting = manifest.name, manifest.stock.facet if manifest.stock else None
    async with pipeline(conn):
        query = generation.composed(QUERIES["work"])
        work = await conn.execute(query, {"counting": counting, "channel": name, "lanes": list(lanes)})
        known = await conn.execute(QUERIES["ids_of_lanes"], {"channel": name, "lanes": list(lanes)})
    rows = [LaneRow(*row) for row in await work.fetchall()]
    ids: dict[str, dict[str, str]] = {}
    for key, sku, remote_id in await known.fetchall():
        ids.setdefault(key, {})[sku] = remote_id
    return rows, ids
