"""Questions about what products still lack for the channels on which they are sold. Answered by the completeness."""

from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from daybook.app import App
from daybook.catalogue.reference import Reference
from daybook.completeness.drafts import after_of, check_rows, generation
from daybook.completeness.stopped import stopped
from daybook.filters.names import check_channel, check_defined, check_slot
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import load
from daybook.texts.lacks import KINDS, ChannelLacks, Lack
from daybook.values import parse_code, parse_locale, parse_sku

QUERIES = load(Path(__file__).with_name("lacking.sql"))


class CompletenessRow(msgspec.Struct, frozen=True, kw_only=True):
    """One product on one channel, and what it lacks there."""

    sku: str
    channel: str
    locale: str | None
    family: str | None
    complete: bool
    score: float
    """How much of what is needed is there, 0 to 1."""
    missing: list[Lack]
    position: int
    """Of the change that it is so since."""
    since: datetime | None


class CompletenessPage(msgspec.Struct, frozen=True):
    """Products in the order of SKUs, and the `after` of the next page; null on the last one."""

    products: list[CompletenessRow]
    next: str | None


class ChannelCompleteness(msgspec.Struct, frozen=True, kw_only=True):
    """How complete the products of one channel are."""

    channel: str
    products: int
    complete: int
    missing: dict[str, int]
    """Field -> how many products lack it, the most first."""


class CompletenessStatus(msgspec.Struct, frozen=True, kw_only=True):
    """All channels on which anything is sold."""

    channels: list[ChannelCompleteness]


def page(
    app: App,
    *,
    channel: str | None = None,
    locale: str | None = None,
    family: str | None = None,
    missing: str | None = None,
    sku: str | None = None,
    everything: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> CompletenessPage:
    """Products that lack something; with `everything` the others too. Raises InvalidValue, NotFound and Unavailable."""
    check_rows(limit)
    reference = app.reader.reference()
    check_defined(reference, family=family)
    sku_after, facet_after = after_of(after)
    given = {
        "channel": None if channel is None else check_channel(app, channel),
        "locale": None if locale is None else parse_locale(locale, "locale"),
        "family": None if family is None else parse_code(family, "family"),
        "missing": None if missing is None else check_slot(reference, missing, "missing", _fields(reference)),
        "sku": None if sku is None else parse_sku(sku),
        "everything": everything,
        "sku_after": sku_after,
        "facet_after": facet_after,
        "limit": limit,
    }
    found = fetch(app.pool, generation(app.pool).composed(QUERIES["page"]).decode(), given)
    last = found[-1] if len(found) == limit else None
    rows = _with_stops(app.pool, [_row(*one) for one in found])
    return CompletenessPage(rows, None if last is None else f"{last[0]}~{last[1]}")


def _fields(reference: Reference) -> set[str]:
    """What may be missing besides attributes that are defined: a channel's settings, and what families require."""
    required = (codes for one in reference.families.values() for codes in one.required.values())
    return {*KINDS, "settings", *(code for codes in required for code in codes)}


def status(pool: Pool) -> CompletenessStatus:
    """How many products lack what, by channel. Raises NotFound and Unavailable."""
    rows = fetch(pool, generation(pool).composed(QUERIES["counts"]).decode())
    return CompletenessStatus(
        channels=[
            ChannelCompleteness(channel=channel, products=products, complete=complete, missing=missing or {})
            for channel, products, complete, missing in rows
        ]
    )


def _with_stops(pool: Pool, rows: list[CompletenessRow]) -> list[CompletenessRow]:
    """A text that its engine does not draft says why."""
    skus: dict[str, set[str]] = {}
    for lack in (lack for one in rows for lack in one.missing):
        if lack.engine is not None and lack.text_of is not None:
            skus.setdefault(lack.engine, set()).add(lack.text_of)
    stops = {engine: stopped(pool, engine, named) for engine, named in skus.items()}

    def told(lack: Lack) -> Lack:
        why = stops.get(lack.engine or "", {}).get((lack.text_of or "", lack.field))
        return lack if why is None else replace(lack, reason=why.reason, next_step=why.next_step)

    return [replace(one, missing=[told(lack) for lack in one.missing]) for one in rows]


def _row(sku: str, channel: str, payload: str, position: int, since: datetime | None) -> CompletenessRow:
    one = msgspec.json.decode(payload, type=ChannelLacks)
    lacking = min(len(one.missing), one.needed)
    return CompletenessRow(
        sku=sku,
        channel=channel,
        locale=one.locale,
        family=one.family,
        complete=not one.missing,
        score=round(1 - lacking / one.needed, 3) if one.needed else float(not one.missing),
        missing=one.missing,
        position=position,
        since=since,
    )
