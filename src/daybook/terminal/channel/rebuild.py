"""Rebuilds at the command line: progress that is true to the end, plans, and what to do next."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import msgspec

from daybook.app import App
from daybook.errors import Refused
from daybook.operations.channels import recorded_as
from daybook.postgres.pool import connect_async
from daybook.queries.moment import resolve
from daybook.rebuild import prune as pruning
from daybook.rebuild import run as rebuilds
from daybook.rebuild.code import Code, load, package_of
from daybook.rebuild.plan import Plan
from daybook.rebuild.progress import RebuildProgress
from daybook.rebuild.prune import GenerationView
from daybook.rebuild.run import RebuildOptions, Rebuilt
from daybook.rebuild.switch import Switched
from daybook.terminal.carry_out import context
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, cell, line, note, stacked, stderr
from daybook.terminal.tables import table

T = TypeVar("T")
_PHASES = {
    "fill": "folding the log",
    "index": "making the indexes",
    "follow": "following the log",
    "plan": "comparing with the live listings",
    "switch": "switching",
}
_TEXT_MAX = 60


def rebuild(
    common: CommonOptions,
    app: App,
    name: str,
    *,
    apply: bool,
    workers: int | None,
    fresh: bool,
    at: str | None,
    from_code: str | None,
) -> Rebuilt:
    """Rebuilds, with a progress bar on a terminal. Raises KeyboardInterrupt after saying how to go on."""
    if at is not None and apply:
        raise Refused("a past state is for reading only: leave --apply out")
    manifest = app.registry.get(name)
    package = package_of(manifest)
    code = Code(manifest) if from_code is None else load(from_code, package)
    if code.manifest.name != name:
        raise Refused(f"the code in {from_code} is the projection {code.manifest.name}, not {name}")
    upto = None if at is None else resolve(app.reader, at).position
    on_switch = recorded_as(app, context(common, "cli"))
    options = RebuildOptions(workers=workers, fresh=fresh, upto=upto, apply=apply, on_switch=on_switch)
    dsn = app.settings.require_postgres()
    try:
        with shown(common) as on_progress:
            return asyncio.run(rebuilds.rebuild(dsn, code, package, options, on_progress))
    except KeyboardInterrupt:
        note(
            common,
            f"stopped: the live listings of {name} were not touched. The same command goes on where it stood; "
            f"`daybook channel prune {name}` drops what it had built",
        )
        raise


class RebuildRate:
    """Events a second of late, and how long the rest takes: at the best and at the worst rate seen lately."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._seen: deque[tuple[float, int]] = deque()
        self._rates: deque[float] = deque(maxlen=40)

    def saw(self, at: float, done: int) -> None:
        """So many events were done at this time (seconds, of any clock that does not go back)."""
        self._seen.append((at, done))
        while len(self._seen) > 2 and at - self._seen[0][0] > self._seconds:
            self._seen.popleft()
        if self.rate() > 0:
            self._rates.append(self.rate())

    def rate(self) -> float:
        """Events a second; 0.0 while it is not known."""
        (begun, before), (ended, after) = self._seen[0], self._seen[-1]
        return (after - before) / (ended - begun) if ended > begun else 0.0

    def left(self, events: int) -> str:
        """The time for so many more events, `2-3 min`; `` while nobody can say."""
        if events <= 0:
            return ""
        if len(self._rates) < 5:
            return "?"
        return spoken(events / max(self._rates), events / min(self._rates))


def spoken(least: float, most: float) -> str:
    """A span of seconds in the words of a person: `40 s`, `2–3 min`."""
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if most >= 2 * size or unit == "s":
            low, high = int(least / size), max(1, -int(-most // size))
            return f"{low}–{high} {unit}" if low != high else f"{high} {unit}"
    raise AssertionError


@contextlib.contextmanager
def shown(common: CommonOptions) -> Iterator[Callable[[RebuildProgress], None]]:
    """What is told about a rebuild, on stderr: a bar on a terminal, else a line for each phase and for each trouble."""
    if common.json:
        yield lambda progress: None
        return
    console = stderr()
    if not console.is_terminal:
        yield _Lines(common)
        return
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Bar(*columns, console=console, transient=False) as bar:
        tasks: dict[str, Any] = {}
        rates: dict[str, RebuildRate] = {}

        def on_progress(progress: RebuildProgress) -> None:
            if progress.stalled is not None:
                bar.console.print(cell(progress.stalled), style="yellow")
                return
            if progress.phase not in tasks:
                rates[progress.phase] = RebuildRate()
                tasks[progress.phase] = bar.add_task(_PHASES[progress.phase], total=None, said="")
            rate = rates[progress.phase]
            rate.saw(time.monotonic(), progress.done)
            bar.update(
                tasks[progress.phase],
                completed=progress.done,
                total=progress.total or None,
                said=said(progress, rate),
            )

        yield on_progress


def said(progress: RebuildProgress, rate: RebuildRate) -> str:
    """`120,000 of 1,000,000 events, 95,000/s, 9–12 s left`."""
    if not progress.total:
        return ""
    parts = [f"{progress.done:,} of {progress.total:,} events"]
    if rate.rate():
        parts.append(f"{rate.rate():,.0f}/s")
    if left := rate.left(progress.total - progress.done):
        parts.append(f"{left} left")
    return ", ".join(parts)


class _Lines:
    def __init__(self, common: CommonOptions) -> None:
        self._given = common
        self._phase: str | None = None

    def __call__(self, progress: RebuildProgress) -> None:
        if progress.stalled is not None:
            note(self._given, progress.stalled)
        elif progress.phase != self._phase:
            self._phase = progress.phase
            resumed = " (going on where an earlier one stood)" if progress.resumed and progress.phase == "fill" else ""
            note(self._given, f"generation {progress.generation}: {_PHASES[progress.phase]}{resumed}")


def planned(app: App, name: str, number: int | None) -> Plan:
    """The plan of a generation that is ready."""
    app.registry.get(name)
    return _asked(app, lambda conn: rebuilds.plan_of(conn, name, number))


def listed(app: App, name: str) -> list[GenerationView]:
    """All generations of a projection."""
    app.registry.get(name)
    return _asked(app, lambda conn: pruning.generations(conn, name))


def _asked(app: App, ask: Callable[[Any], Awaitable[T]]) -> T:
    async def work() -> T:
        async with await connect_async(app.settings.require_postgres(), "generations") as conn:
            return await ask(conn)

    return asyncio.run(work())


def result(found: Rebuilt) -> Show:
    """What came of a rebuild, and the next step."""
    name, number = found.projection, found.generation
    head = line(f"generation {number} of {name}: {found.events:,} events folded, at position {found.position:,}")
    if found.plan is None:
        return stacked(head, line(f"for reading: `daybook channel listing SKU --channel {name} --generation {number}`"))
    if found.switched is not None:
        return stacked(head, plan(found.plan), switched(found.switched))
    step = f"`daybook channel apply {name} {number}` makes it the live one; nothing has changed yet"
    if found.origin is not None:
        step = (
            f"a what-if: nothing has changed. To make it live, install the code of {found.origin} and rebuild; "
            f"`daybook channel prune {name} --generation {number}` drops this one"
        )
    return stacked(head, plan(found.plan), line(step))


def plan(found: Plan) -> Show:
    """A plan for a person."""
    if found.empty:
        told = [line(f"nothing would change: generation {found.generation} lists what {found.live} lists")]
    else:
        kinds = [(kind, getattr(found, kind), found.samples.get(kind, ())) for kind in ("added", "removed", "held")]
        rows = [("changed", found.changed, ""), *kinds]
        told = [table(("listings", "#SKUs", "first"), [row for row in rows if row[1]])]
        samples = [
            (one.field, one.count, sample.sku, _short(sample.before), _short(sample.after))
            for one in found.fields
            for sample in one.samples[:1]
        ]
        if samples:
            told.append(table(("field", "#listings", "such as", "before", "after"), samples))
        told.append(table(("call to the channel", "#SKUs"), list(found.calls.items()), "no calls would follow"))
    if found.moving:
        told.append(line(f"{found.moving:,} product groups changed while this was compared and are left out"))
    if found.behind:
        told.append(
            line(f"nobody runs the live listings: they are {found.behind:,} events behind, which this plan counts too")
        )
    if found.parked:
        told.append(line(f"{found.parked:,} product groups can't be folded or rendered by this code: they are parked"))
    return stacked(*told)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
    return text if len(text) <= _TEXT_MAX else f"{text[: _TEXT_MAX - 1]}…"


def switched(found: Switched) -> Show:
    """What a switch did."""
    return line(
        f"generation {found.live} of {found.projection} is live, at position {found.position:,}; "
        f"{found.facets:,} facets differ and are brought to the channel. Back with "
        f"`daybook channel rollback {found.projection}`"
    )


def generations(found: list[GenerationView]) -> Show:
    """All generations for a person."""
    rows = [
        (one.generation, one.state, one.code_version, one.position, one.created_at, one.kept_at, one.origin)
        for one in found
    ]
    names = ("#generation", "state", "#code", "#position", "made", "kept since", "code from")
    return table(names, rows, "it has never run")
