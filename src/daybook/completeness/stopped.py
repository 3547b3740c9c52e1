"""Why a text that is to be drafted is not: its engine refused it, or what is to be sent is held back."""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from daybook.events import Rejection
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import load
from daybook.projection.generations import Generation

QUERIES = load(Path(__file__).with_name("drafts.sql"))


class TextStop(NamedTuple):
    """What stops a text, and what can be done."""

    reason: str
    next_step: str


def stopped(pool: Pool, engine: str, skus: Collection[str]) -> dict[tuple[str, str], TextStop]:
    """By SKU and slot, what stops the texts of these products. Raises Unavailable."""
    if not skus:
        return {}
    found: dict[tuple[str, str], TextStop] = {}
    live = fetch(pool, QUERIES["live"], (engine,))
    if live and live[0][0] is not None:
        held = Generation(engine, live[0][0]).composed(QUERIES["held"]).decode()
        for sku, facet, reasons in fetch(pool, held, (list(skus),)):
            found[sku, facet] = TextStop("; ".join(reasons), f"daybook channel show {engine}")
    for sku, facet, reasons in fetch(pool, QUERIES["refused"], (engine, list(skus))):
        said = msgspec.json.decode(reasons, type=tuple[Rejection, ...]) if reasons else ()
        words = "; ".join(f"{one.code} {one.message}" for one in said) or "no reason given"
        found[sku, facet] = TextStop(f"{engine} refused it: {words}", f"daybook channel rejected {engine}")
    return found
