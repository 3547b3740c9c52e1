"""Carrying an import's rows out: in parallel, each row whole or not at all, and harmless to run again.

A row waits only for the row that it needs (its parent, or an earlier row of the same name) and for all rows of another
noun before it. So order in the file is respected where it matters, and a catalogue of any size passes through a window
of fixed size.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from daybook.commands import DescribeProduct
from daybook.commands.book import Book, Done
from daybook.commands.scene import Change, Scene
from daybook.errors import DaybookError, Unavailable
from daybook.events import ProductCreated
from daybook.ids import new_id
from daybook.importing import records
from daybook.importing.records import Record
from daybook.importing.report import Outcome, Problem, Report
from daybook.importing.rows import Entry, Flag, Notice, Row
from daybook.log.pending import Context
from daybook.values import gtin_problem

WORKERS = 8
IN_FLIGHT_PER_WORKER = 4
WAITING_MAX = 2000
"""Rows that wait for their parent. They are all in memory."""

Progress = Callable[[Report], None]
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
) -> Report:
    """Carries out every row and tells what became of each.

    One command a row: a product is written whole or not at all, and a row that says what the book holds already
    appends nothing. A row's domain error is a `Problem` and the others go on. `progress` is called with the growing
    report after each row, in the calling thread. When `stop` is set, rows in flight are finished and no new one is
    begun; when Postgres can't be reached the import ends in the same way. Both are told in `Report.ended` and
    `Report.message`, and running the import again resumes it. What `entries` raises passes through, after the rows in
    flight are finished.
    """
    return _Ingest(book, actor, source, reason, progress, workers, stop or threading.Event()).run(entries)


class _Finished(msgspec.Struct):
    """What became of a row, on its way from a worker to the main thread."""

    row: Row
    outcome: Outcome = "failed"
    flags: tuple[Flag, ...] = ()
    outage: Unavailable | None = None
    crash: BaseException | None = None


class _Ingest:
    """One run. All bookkeeping is the main thread's; workers only carry out and put into `finished`."""

    def __init__(
        self,
        book: Book,
        actor: str,
        source: str,
        reason: str | None,
        progress: Progress | None,
        workers: int,
        stop: threading.Event,
    ) -> None:
        self.book = book
        self.context = Context(actor=actor, source=source, reason=reason, command_id="", correlation_id=new_id())
        self.progress = progress
        self.workers = workers
        self.stop = stop
        self.report = Report(correlation_id=self.context.correlation_id or "")
        self.finished: queue.SimpleQueue[_Finished] = queue.SimpleQueue()
        self.in_flight = 0
        self.holders: dict[str, Row] = {}
        """Name -> the row of this name that is in flight or waits for its parent."""
        self.waiting: dict[str, list[Row]] = {}
        """Name -> rows that wait for its holder."""
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
                Problem(
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
        """Begins the row, or lets it wait for the earlier row of its name, or for its parent."""
        assert row.record is not None
        if self._ending:
            self.cut = True
            return
        name, parent = records.name(row.record), records.parent(row.record)
        holder = self.holders.setdefault(name, row)
        needed = name if holder is not row else parent if parent != name and parent in self.holders else None
        if needed is not None:
            self.waiting.setdefault(needed, []).append(row)
            self.waiting_count += 1
            return
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
        assert row.record is not None
        name = records.name(row.record)
        del self.holders[name]
        released = self.waiting.pop(name, [])
        self.waiting_count -= len(released)
        for one in released:
            self._place(one)

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
        watched = _Watched(row.record)
        done = self.book.carry_out(watched, msgspec.structs.replace(self.context, command_id=new_id()))
        return _Finished(row, watched.outcome(done), _gtin_flags(row.record))

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
                Problem(
                    file=row.file,
                    line=row.line,
                    sku=row.name if row.record is None else records.name(row.record),
                    field=flag.field,
                    value=flag.value,
                    reason=flag.reason,
                    taken=taken,
                )
            )
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
            report.message = f"The import broke off {at}, after {report.rows} rows: {self.outage}. {RESUME}"
        else:
            report.ended = "stopped"
            report.message = f"The import was stopped {at}, after {report.rows} rows. {RESUME}"


class _Watched:
    """A command that remembers what it decided last: whether its thing is new is known only while deciding."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._new = False

    def decide(self, scene: Scene) -> list[Change]:
        """The record's own decision."""
        changes = self._record.decide(scene)
        events = changes[0].events
        if isinstance(self._record, DescribeProduct):
            self._new = bool(events) and isinstance(events[0], ProductCreated)
        else:
            self._new = scene.version(changes[0].stream) == 0
        return changes

    def outcome(self, done: Done) -> Outcome:
        """After the append: a decision that lost a race was made again, and the last one counts."""
        if not done.changed:
            return "unchanged"
        return "created" if self._new else "changed"


def _there(book: Book, record: Record) -> bool:
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
