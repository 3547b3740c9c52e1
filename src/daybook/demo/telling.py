"""The demo's voice: what happened, as a person would want to see it; or one JSON document for a machine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from daybook.config import Settings
from daybook.demo.chapters import Outage, ShownRejection
from daybook.demo.claims import Claims
from daybook.demo.trace import Trace
from daybook.importing.ingest import Progress as Tell
from daybook.importing.report import Report
from daybook.queries.channels import ChannelStatus
from daybook.queries.fields import FieldChange
from daybook.queries.history import HistoryChange

WIDTH = 112
SENTENCE_MAX = 70


class Telling:
    """Prints chapters as they happen; with `as_json` it keeps them and prints one document at the end."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._kept: dict[str, Any] = {}
        out = Console(highlight=False, quiet=as_json)
        self._out = out if out.is_terminal else Console(highlight=False, quiet=as_json, width=WIDTH)
        self._err = Console(stderr=True, highlight=False)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Shows that something is under way."""
        with self._err.status(f"{what} …"):
            yield

    @contextmanager
    def importing(self, products: int) -> Iterator[Tell]:
        """A progress bar for the import."""
        columns = (
            SpinnerColumn(),
            TextColumn("importing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]} rows/s"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._err, transient=True) as bar:
            task = bar.add_task("importing", total=None, rate="–")

            def tell(report: Report) -> None:
                rate = f"{report.rows / report.seconds:.0f}" if report.seconds else "–"
                bar.update(task, completed=report.rows, rate=rate)

            yield tell

    def _keep(self, chapter: str, value: object) -> None:
        self._kept[chapter] = msgspec.to_builtins(value)

    def _title(self, text: str) -> None:
        self._out.print(f"\n[bold]{text}[/bold]")

    def imported(self, report: Report, level_seconds: float) -> None:
        """The catalogue is in the book and on the channels."""
        self._keep("import", report.summary() | {"level_seconds": round(level_seconds, 2)})
        products = report.counts["product"].total
        self._title("A catalogue goes into the book, and out to three marketplaces")
        self._out.print(
            f"{products} products in {report.seconds:.1f} s ({products / (report.seconds or 1):.0f} a second); "
            f"every channel level {level_seconds:.1f} s later."
        )

    def channels(self, found: Sequence[ChannelStatus]) -> None:
        """The table of channels."""
        self._keep("channels", found)
        table = Table("channel", box=None, pad_edge=False, header_style="dim")
        for name in ("listings", "held", "facets confirmed", "rejected", "due", "lag"):
            table.add_column(name, justify="right")
        for one in found:
            numbers = (one.listings, one.held, one.confirmed, one.rejected, one.due, one.lag)
            table.add_row(one.title, *(str(number) for number in numbers))
        self._out.print(table)

    def trace(self, change: Trace) -> None:
        """One change, step by step."""
        self._keep("trace", change)
        self._title(f"One price change of {change.sku}, step by step")
        self._out.print(f"command {change.command_id}, committed in {change.commit_ms:.1f} ms")
        self._out.print(f"position {change.position} of the log = sequence {change.sequence} of the stream")
        columns = ("channel", "listing", "HTTP call", "", "receipt", "at position")
        table = Table(*columns, box=None, pad_edge=False, header_style="dim")
        for one in change.channels:
            table.add_row(
                one.channel,
                _ms(one.listing_ms),
                _ms(one.call_ms),
                one.call or "",
                _ms(one.receipt_ms),
                str(one.receipt_position or "–"),
            )
        self._out.print(table)
        self._out.print("[dim]milliseconds after the commit[/dim]")

    def outage(self, outage: Outage) -> None:
        """A channel was away."""
        self._keep("outage", outage)
        self._title(f"{outage.channel} goes offline, {outage.changes} prices change, it comes back")
        self._out.print(
            f"{outage.waiting} facets waited; {outage.calls} calls brought it level in {outage.level_seconds:.1f} s: "
            "the newest state of each, not its history."
        )

    def history(self, sku: str, changes: Sequence[HistoryChange]) -> None:
        """Who changed what, and who saw it."""
        self._keep("history", changes)
        self._title(f"The history of {sku}")
        columns = ("position", "when", "who", "what", "channels")
        table = Table(*columns, box=None, pad_edge=False, header_style="dim")
        for one in changes:
            told = {seen.channel: seen.outcome for seen in one.channels}
            why = f"{one.actor}, {one.reason}" if one.reason else one.actor
            table.add_row(
                str(one.position),
                f"{one.recorded_at:%H:%M:%S.%f}"[:-3],
                why,
                _cut(one.sentence),
                ", ".join(f"{channel} {outcome}" for channel, outcome in sorted(told.items())),
            )
        self._out.print(table)

    def before(self, sku: str, position: int, at: datetime, changes: Sequence[FieldChange]) -> None:
        """The state before the change."""
        self._keep("before", {"sku": sku, "position": position, "changes": changes})
        self._title(f"{sku} as of before the change")
        for one in changes:
            self._out.print(f"at position {position - 1}: {one.field} {one.before}; from {at:%H:%M:%S} on: {one.after}")

    def refusals(self, found: Sequence[ShownRejection]) -> None:
        """What marketplaces refused."""
        self._keep("refusals", found)
        self._title("Rejected, in the marketplaces' own words")
        for one in found:
            for reason in one.reasons:
                self._out.print(f"{one.channel} {one.sku} ({one.facet}): {reason.code} {reason.message}")

    def end(self, claims: Claims, seconds: float) -> None:
        """The claims, and whether all held."""
        self._keep("claims", claims.all)
        self._kept["seconds"] = round(seconds, 1)
        self._kept["ok"] = claims.hold
        if self._json:
            print(msgspec.json.format(msgspec.json.encode(self._kept), indent=2).decode())  # noqa: T201
            return
        self._title("Checked")
        for claim in claims.all:
            mark = "[green]✓[/green]" if claim.holds else f"[red]✗[/red] (found: {claim.found})"
            self._out.print(f"{mark} {claim.says}")
        verdict = "every claim held" if claims.hold else "[red]not every claim held[/red]"
        self._out.print(f"\n{verdict}, in {seconds:.0f} s")

    def keeping(self, settings: Settings, urls: Mapping[str, str]) -> None:
        """Where to look while it goes on running."""
        self._out.print(f"\n[bold]Still running[/bold], until Ctrl-C. Data and logs: {settings.data}")
        self._out.print(f"API: http://{settings.http_host}:{settings.http_port}/schema")
        self._out.print(f"more: daybook --data {settings.data} product show SKU, channel list, log tail --follow")
        for name, url in urls.items():
            self._out.print(f"{name}: {url}/_sandbox/shown")


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _cut(text: str) -> str:
    return text if len(text) <= SENTENCE_MAX else f"{text[:SENTENCE_MAX].rsplit(' ', 1)[0]} …"
