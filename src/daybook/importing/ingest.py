"""Carrying an import's rows out: in parallel, each row whole or not at all, and harmless to run again.

Rows of one product group go through one lane, in the order of the file, one at a time: a variant finds its parent, the
last row about a SKU stands, and variants are created, and so sold, in the order of the file. Other groups do not wait
for them. Rows wait for all rows of another noun before them. So a catalogue of any size passes through a window of
fixed size.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from daybook.commands import DefinePart, DescribeProduct
from daybook.commands.book import Book, Command, CommandResult
from daybook.commands.dry_run import Decision, DryRun
from daybook.errors import CommandIdReused, DaybookError, Refused, Unavailable, VersionConflict
from daybook.ids import new_id
from daybook.importing import records
from daybook.importing.fitting import fitted, needs_look
from daybook.importing.fitting_definitions import fitted_definition
from daybook.importing.records import Record
from daybook.importing.report import Listing, Outcome, Report, RowPlan, RowProblem
from daybook.importing.rows import Entry, Flag, Notice, Row
from daybook.log.pending import Context
from daybook.queries.fields import FieldChange
from daybook.queries.planned import planned
from daybook.values import gtin_problem

WORKERS = 8
IN_FLIGHT_PER_WORKER = 4
WAITING_MAX = 2000
"""Rows that wait for others of their group. They are all in memory."""
LOOKS_MAX = 20
"""How often a row is fitted anew to a product that others change meanwhile."""

Progress = Callable[[Report], None]
Follow = Callable[[str], Iterable[Listing]]
"""From a SKU that would be changed to the listings that show something of it."""
TAKEN_BEFORE = "was changed by this edit before: left as it is"
RESUME = "Run the same import again to go on: what was taken is recognised and not written twice."


def ingest(
    book: Book,
    entries: Iterable[Entry],
    *,
    actor: str,
    source: str = "import",
    reason: str | None = None,
    progress: Progress | None = None,
    workers: int = WORKERS,
    stop: threading.Event | None = None,
    dry_run: bool = False,
    correlation_id: str | None = None,
    follow: Follow | None = None,
    resume: str = RESUME,
) -> Report:
    """Carries out every row and tells what became of each.

    One command a row: a product is written whole or not at all, and a row that says what the book holds already
    appends nothing. A row's domain error is a `Problem` and the others go on. `progress` is called with the growing
    report after each row, in the calling thread. When `stop` is set, rows in flight are finished and no new one is
    begun; when Postgres can't be reached the import ends in the same way. Both are told in `Report.ended` and
    `Report.message`, and running the import again resumes it. What `entries` raises passes through, after the rows in
    flight are finished. With `dry_run` nothing is written: `Report.plans` says what would become of each row,
    and `Report.listings` how many listings could follow, by what `follow` tells.
    """
    door = book.dry_run() if dry_run else book
    context = Context.new(actor, source, reason=reason, correlation_id=correlation_id or new_id())
    return _Ingest(door, context, progress, workers, stop or threading.Event(), follow, resume).run(entries)


class _Finished(msgspec.Struct):
    """What became of a row, on its way from a worker to the main thread."""

    row: Row
    outcome: Outcome = "failed"
    flags: tuple[Flag, ...] = ()
    outage: Unavailable | None = None
    crash: BaseException | None = None
    changes: tuple[FieldChange, ...] = ()
    """Of a dry run, and so are the listings that could follow."""
    listings: tuple[Listing, ...] = ()


class _Ingest:
    """One run. All bookkeeping is the main thread's; workers only carry out and put into `finished`."""

    def __init__(
        self,
        book: Book | DryRun,
        context: Context,
        progress: Progress | None,
        workers: int,
        stop: threading.Event,
        follow: Follow | None,
        resume: str,
    ) -> None:
        self.book = book
        self.resume = resume
        self.context = context
        self.follow = follow
        self.progress = progress
        self.workers = workers
        self.stop = stop
        self.report = Report(correlation_id=self.context.correlation_id or "", dry_run=isinstance(book, DryRun))
        self.finished: queue.SimpleQueue[_Finished] = queue.SimpleQueue()
        self.in_flight = 0
        self.lanes: dict[str, deque[Row]] = {}
        """Lane -> rows that wait for the one of it that is in flight."""
        self.lane_of: dict[str, tuple[str, int]] = {}
        """Name -> the lane of its unfinished rows, and how many they are."""
        self.roots: dict[str, str] = {}
        """Product below another one -> the topmost one, as far as this file told."""
        self.waiting_count = 0
        self.noun: str | None = None
        self.cut = False
        """A row was given up because the import is ending."""
        self.outage: Unavailable | None = None
        self.crash: BaseException | None = None
        self.unreachable: Unavailable | None = None
        """Set by workers, for workers; `outage` is the main thread's."""

    def run(self, entries: Iterable[Entry]) -> Report:
        begun = time.perf_counter()
        window = self.workers * IN_FLIGHT_PER_WORKER
        with ThreadPoolExecutor(self.workers, thread_name_prefix="import") as self.pool:
            try:
                for entry in entries:
                    while self.in_flight >= window or self.waiting_count >= WAITING_MAX:
                        self._finish_one()
                    if self._ending:
                        self.cut = True
                        break
                    self._take(entry)
                else:
                    self._finish_all()
            finally:
                while self.in_flight:
                    self._finish_one()
        if self.crash is not None:
            raise self.crash
        self.report.seconds = time.perf_counter() - begun
        self._close()
        return self.report

    @property
    def _ending(self) -> bool:
        return self.stop.is_set() or self.outage is not None or self.crash is not None

    def _take(self, entry: Entry) -> None:
        if isinstance(entry, Notice):
            self.report.notices.append(
                RowProblem(
                    file=entry.file,
                    line=1,
                    sku=None,
                    field=entry.field,
                    value=None,
                    reason=entry.reason,
                    taken=True,
                )
            )
            return
        if entry.record is None:
            self.report.at = (entry.file, entry.line)
            self._count(_Finished(entry, "failed"))
            return
        noun = records.noun(entry.record)
        if noun != self.noun:
            # Products may need any definition before them, families any attribute: nouns don't overlap.
            self._finish_all()
            self.noun = noun
        self._place(entry)

    def _place(self, row: Row) -> None:
        """Begins the row, or lets it wait in its lane."""
        assert row.record is not None
        name = records.name(row.record)
        lane, count = self.lane_of.get(name, (self._lane(row.record, row.if_new), 0))
        self.lane_of[name] = lane, count + 1
        if lane in self.lanes:
            self.lanes[lane].append(row)
            self.waiting_count += 1
            return
        self.lanes[lane] = deque()
        self._begin(row)

    def _lane(self, record: Record, if_new: Mapping[str, Any]) -> str:
        name, parent = records.name(record), records.parent(record) or if_new.get("parent")
        if parent is None:
            return name
        root = self.roots.get(parent, parent)
        if isinstance(record, DescribeProduct):
            if "model" in (record.kind, if_new.get("kind")):
                self.roots[name] = root
            return root
        # A category needs its parent, but not its siblings.
        return self.lane_of[parent][0] if parent in self.lane_of else name

    def _begin(self, row: Row) -> None:
        self.in_flight += 1
        self.report.at = (row.file, row.line)
        self.pool.submit(self._carry_out, row)

    def _finish_one(self) -> None:
        finished = self.finished.get()
        self.in_flight -= 1
        row = finished.row
        self.outage = self.outage or finished.outage
        self.crash = self.crash or finished.crash
        if finished.outage is None and finished.crash is None:
            self._count(finished)
        lane = self._left(row)
        waiting = self.lanes[lane]
        if self._ending:
            self.cut = self.cut or bool(waiting)
            self.waiting_count -= len(waiting)
            waiting.clear()
        if waiting:
            self.waiting_count -= 1
            self._begin(waiting.popleft())
        else:
            del self.lanes[lane]

    def _left(self, row: Row) -> str:
        """The lane of a row that is finished."""
        assert row.record is not None
        name = records.name(row.record)
        lane, count = self.lane_of.pop(name)
        if count > 1:
            self.lane_of[name] = lane, count - 1
        return lane

    def _finish_all(self) -> None:
        while self.in_flight:
            self._finish_one()

    def _carry_out(self, row: Row) -> None:
        """In a worker. Without a server every row would wait for its own time-out: one has waited for all."""
        finished = _Finished(row)
        try:
            if self.unreachable is not None:
                finished.outage = self.unreachable
            else:
                finished = self._outcome(row)
        except Unavailable as error:
            self.unreachable = finished.outage = error
        except DaybookError as error:
            finished.flags = (_flag(error),)
        except BaseException as error:
            finished.crash = error
        self.finished.put(finished)

    def _outcome(self, row: Row) -> _Finished:
        assert row.record is not None
        if row.keep_existing and _there(self.book, row.record):
            return _Finished(row, "unchanged")
        record: Record | DefinePart = row.record
        if row.said is not None:
            record = fitted_definition(row.record, row.said, self.book.reference())
        try:
            if row.command_id is not None:
                self.book.carried_out(self._context(row))
            done, flags = self._taken(row, record)
        except CommandIdReused:
            return _Finished(row, "unchanged", (Flag(None, None, TAKEN_BEFORE),))
        outcome: Outcome = "created" if done.created else "changed" if done.changed else "unchanged"
        finished = _Finished(row, outcome, (*flags, *_gtin_flags(row.record)))
        if isinstance(done, Decision) and outcome == "changed":
            finished.changes = tuple(planned(done))
            if self.follow is not None and isinstance(row.record, DescribeProduct):
                finished.listings = tuple(self.follow(row.record.sku))
        return finished

    def _taken(self, row: Row, record: Record | DefinePart) -> tuple[CommandResult | Decision, tuple[Flag, ...]]:
        """Carries the row out, fitted to the product where that makes a difference."""
        if not needs_look(row):
            try:
                return self._done(row, record), ()
            except Refused:
                if not isinstance(record, DescribeProduct):
                    raise
        assert row.record is not None
        name = records.name(row.record)
        for _ in range(LOOKS_MAX):
            product, version = self.book.product(name)
            fit, flags = fitted(row, product)
            try:
                return self._done(row, fit, version), flags
            except VersionConflict:
                continue
        raise Refused(f"{name} is changed by others all the time: import it again when they have finished", sku=name)

    def _done(self, row: Row, record: Command, version: int | None = None) -> CommandResult | Decision:
        return self.book.carry_out(record, self._context(row), expected_version=version)

    def _context(self, row: Row) -> Context:
        return msgspec.structs.replace(self.context, command_id=row.command_id or new_id(), access=row.access)

    def _count(self, finished: _Finished) -> None:
        row, report = finished.row, self.report
        tally = report.counts[row.noun if row.record is None else records.noun(row.record)]
        setattr(tally, finished.outcome, getattr(tally, finished.outcome) + 1)
        taken = finished.outcome != "failed"
        flags = (*row.flags, *finished.flags)
        if taken and flags:
            report.flagged += 1
        for flag in flags:
            report.problems.append(
                RowProblem(
                    file=row.file,
                    line=row.line,
                    sku=row.name if row.record is None else records.name(row.record),
                    field=flag.field,
                    value=flag.value,
                    reason=flag.reason,
                    taken=taken,
                )
            )
        report.listings.update(finished.listings)
        if report.dry_run and (finished.outcome != "unchanged" or flags):
            report.plan(_plan(finished, flags))
        if self.progress is not None:
            self.progress(report)

    def _close(self) -> None:
        report = self.report
        if not self.cut and self.outage is None:
            report.ended = "complete"
            return
        at = "before the first row" if report.at is None else f"at {report.at[0]}, line {report.at[1]}"
        if self.outage is not None:
            report.ended = "outage"
            report.message = f"The import broke off {at}, after {report.rows} rows: {self.outage}. {self.resume}"
        else:
            report.ended = "stopped"
            report.message = f"The import was stopped {at}, after {report.rows} rows. {self.resume}"


def _plan(finished: _Finished, flags: Sequence[Flag]) -> RowPlan:
    row = finished.row
    return RowPlan(
        file=row.file,
        line=row.line,
        noun=row.noun if row.record is None else records.noun(row.record),
        name=row.name if row.record is None else records.name(row.record),
        outcome=finished.outcome,
        changes=finished.changes,
        reasons=tuple(f"{flag.field}: {flag.reason}" if flag.field else flag.reason for flag in flags),
    )


def _there(book: Book | DryRun, record: Record) -> bool:
    reference, name = book.reference(), records.name(record)
    match records.noun(record):
        case "attribute":
            return name in reference.attributes
        case "category":
            return name in reference.categories
        case "family":
            return name in reference.families
        case "channel":
            return name in reference.channels
        case "product":
            return False


def _gtin_flags(record: Record) -> tuple[Flag, ...]:
    """A wrong GTIN is kept and flagged, in every import that holds it."""
    if not isinstance(record, DescribeProduct) or not record.gtin:
        return ()
    problem = gtin_problem(record.gtin)
    return () if problem is None else (Flag("gtin", record.gtin, problem),)


def _flag(error: DaybookError) -> Flag:
    details = error.details
    value = details.get("value")
    return Flag(
        field=None if details.get("field") is None else str(details["field"]),
        value=None if value is None else str(value)[:200],
        reason=str(details.get("reason") or error.message),
    )
