"""Two groups of a filled generation that list the same facet of the same SKU: the later is parked, as in live running.

Ranges are filled beside each other into a table without a key, so it is seen only when the key can't be made.
"""

from daybook.channel.contract import Manifest
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection
from daybook.projection import versions
from daybook.projection.folding import Folder
from daybook.projection.generations import Generation
from daybook.projection.store import Store
from daybook.projection.versions import Versions
from daybook.rebuild import QUERIES

Taken = dict[str, dict[tuple[str, str], str]]
"""Group to be parked -> what it lists and the earlier group that lists it."""


async def park(conn: AsyncConnection, manifest: Manifest, generation: Generation, upto: int) -> None:
    """Folds the later groups again, as far as they go without the earlier ones' facets, and makes the listings' key.

    The states have theirs. One transaction, so that a rebuild that is killed here finds it as it was.
    """
    async with conn.transaction():
        rows = await (await conn.execute(generation.composed(QUERIES["listed_twice"]))).fetchall()
        taken = _later([(sku, facet, keys) for sku, facet, keys in rows])
        reference, _ = await reader.reference_at(conn, upto)
        for query in ("forget_states", "forget_listings"):
            await conn.execute(generation.composed(QUERIES[query]), (list(taken),))
        await conn.execute(generation.composed(QUERIES["key_listings"]))
        for key in taken if manifest.keeps_history else ():
            await versions.forget(conn, Versions(generation, manifest), key)
        store = Store(conn, manifest, generation, deliver=False)
        for key, owners in taken.items():
            events = await reader.of_key(conn, key, upto)
            await store.write(Folder(manifest, reference).fold(events, {}, {}, each_command=True, taken=owners))


def _later(rows: list[tuple[str, str, list[str]]]) -> Taken:
    taken: Taken = {}
    for sku, facet, keys in rows:
        # A group that is parked for another facet gives this one up as well.
        first = next((key for key in keys if key not in taken), keys[0])
        for key in keys:
            if key != first:
                taken.setdefault(key, {})[sku, facet] = first
    return taken
