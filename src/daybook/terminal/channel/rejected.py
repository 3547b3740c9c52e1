"""What the marketplaces refused: shown, exported, offered again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from daybook.app import App
from daybook.delivery.rejected import CodeCount, Filter, RejectedFacet, by_code, rejections
from daybook.delivery.retry import Retried
from daybook.errors import InvalidValue
from daybook.queries.moment import resolve
from daybook.terminal.catalogue.export import whole
from daybook.terminal.channel import views
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, answer, line, stacked
from daybook.terminal.tables import table

COLUMNS = ("channel", "sku", "facet", "key", "position", "at", "shown", "code", "message", "field")


class Found(msgspec.Struct, frozen=True):
    """What was refused, and how often for which reason."""

    codes: list[CodeCount]
    rejected: list[RejectedFacet]


class Exported(msgspec.Struct, frozen=True):
    """A file that was written, and how many refusals are in it."""

    file: str
    rejected: int


def wanted(
    app: App, name: str | None, code: str | None, skus: Sequence[str], facet: str | None, since: str | None
) -> Filter:
    """What was asked for. Raises NotFound for an unknown channel and InvalidValue for a malformed time."""
    if name is not None:
        app.registry.get(name)
    position = 0 if since is None else resolve(app.reader, since).position
    return Filter(channel=name, code=code, skus=tuple(skus), facet=facet, since=position)


def found(app: App, asked: Filter) -> Found:
    """The refusals, but for those of channels that were removed."""
    gone = app.registry.removed()
    rejected = [one for one in rejections(app.pool, asked) if one.channel not in gone]
    return Found(by_code(rejected), rejected)


def tell(common: CommonOptions, app: App, asked: Filter, first: int, export: Path | None) -> None:
    """Prints them, or writes them to a file."""
    if export is not None and export.suffix not in (".csv", ".jsonl"):
        raise InvalidValue("--export", "must end in .csv or .jsonl", str(export))
    all_ = found(app, asked)
    if export is None:
        answer(common, all_, shown(all_, first))
        return
    whole(export, _csv(all_.rejected) if export.suffix == ".csv" else _jsonl(all_.rejected))
    told = Exported(str(export), len(all_.rejected))
    answer(common, told, line(f"{told.rejected} rejections in {told.file}"))


def shown(all_: Found, first: int) -> Show:
    """For a person: how often which reason, then the first of them."""
    if not all_.rejected:
        return line("nothing was rejected")
    counts = [line(f"{one.count} x {one.code}  {one.channel}: {one.message}") for one in all_.codes]
    rows = [
        (one.channel, one.sku, one.facet, one.position, one.at, _still(one), views.reasons(one.reasons))
        for one in all_.rejected[:first]
    ]
    columns = ("channel", "SKU", "facet", "#position", "at (UTC)", "it shows", "because")
    left = len(all_.rejected) - len(rows)
    more = [line(f"and {left} more: --first, --json or --export FILE.csv has them")] if left else []
    return stacked(*counts, table(columns, rows), *more)


def _still(one: RejectedFacet) -> str:
    return "an earlier state" if one.shown else "nothing"


def retried(one: Retried) -> Show:
    """For a person."""
    back, still = ", ".join(one.back) or "none", ", ".join(one.parked) or "none"
    return stacked(
        line(f"{one.projection}: parked groups back in line: {back}; still parked: {still}"),
        line(f"rejected listings offered again: {one.skus} SKUs, {one.facets} facets"),
    )


def _csv(rejected: Sequence[RejectedFacet]) -> Iterator[bytes]:
    """One line for each reason."""
    yield _row(COLUMNS)
    for one in rejected:
        start = (one.channel, one.sku, one.facet, one.key, one.position, one.at and one.at.isoformat(), one.shown)
        for reason in one.reasons or (None,):
            yield _row((*start, *((reason.code, reason.message, reason.field) if reason else ("", "", ""))))


def _row(cells: Sequence[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()


def _jsonl(rejected: Sequence[RejectedFacet]) -> Iterator[bytes]:
    for one in rejected:
        yield msgspec.json.encode(one) + b"\n"
