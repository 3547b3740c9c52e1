"""Undoing: the plan, and carrying it out, product by product."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from daybook import limits
from daybook.commands.book import Book, Command
from daybook.commands.dry_run import DryRun
from daybook.errors import DaybookError, Refused, Unavailable
from daybook.ids import new_id
from daybook.limits import Limit
from daybook.log.pending import Context
from daybook.log.reader import Reader
from daybook.queries.fields import FieldChange
from daybook.undo.inverse import SOURCE, ChangedSince, Inverse, Newer, inverses
from daybook.undo.selection import Chosen, Selection, chosen

SHOWN_MAX = 20_000
"""Products that are told one by one; the others are counted."""
Allowed = Callable[[Command], str | None]
"""What a command's events say of how it was allowed. Raises Forbidden."""


class UndoneProduct(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one product."""

    sku: str
    changes: tuple[FieldChange, ...]
    newer: tuple[ChangedSince, ...]
    """Fields that somebody changed since: left as they are, unless it was said to set them back all the same."""
    refused: str | None = None
    """Why the book does not take it back."""


class UndoReport(msgspec.Struct, kw_only=True):
    """What was undone, or would be."""

    selection: Selection
    events: int
    """Events of products that were named."""
    correlation_id: str
    """On every event that undoes: to undo it, name it."""
    dry_run: bool
    undone: int = 0
    """Products that were, or would be, taken back."""
    newer: int = 0
    """Products with a field that somebody changed since."""
    refused: int = 0
    others: dict[str, int] = {}
    """Stored type -> events that no undo takes back: orders, definitions, settings, people and access."""
    products: list[UndoneProduct] = []
    left_out: int = 0
    """Products beyond those that are told one by one."""
    stopped: bool = False
    """It was ended before its end; the same undo goes on."""


class Undo:
    """One undo: of what, by whom, and what to do with what somebody changed since."""

    def __init__(
        self,
        book: Book,
        reader: Reader,
        selection: Selection,
        newer: Newer = "refuse",
        limit: Limit = limits.UNDONE,
    ) -> None:
        """Raises InvalidValue and NotFound: see `chosen`."""
        self._book, self._reader = book, reader
        self._selection, self._newer = selection, newer
        self._chosen: Chosen = chosen(reader, selection, limit)

    @property
    def groups(self) -> Iterable[str]:
        """The product groups that it looks at."""
        return self._chosen.groups

    @property
    def others(self) -> Mapping[str, int]:
        """Stored type -> events of the selection that no undo takes back."""
        return self._chosen.others

    def check(self, allowed: Allowed) -> None:
        """Asks for all that the chosen events did, changed since or not. Raises Forbidden for the first that is not.

        A plan tells values, also of what would be left as it is: who may not take all of it back is told nothing.
        """
        for key, positions in self._chosen.groups.items():
            for one in inverses(self._reader.of_key(key), positions, "force"):
                for command, _ in _commands(one):
                    allowed(command)

    def plan(self, sender: Context, allowed: Allowed = lambda _: None) -> UndoReport:
        """What carrying it out now would do. Nothing is written. Raises Forbidden for the first that is not allowed."""
        report, door = self._report(sender, dry_run=True), self._book.dry_run()
        for one in self._inverses():
            for command, _ in _commands(one):
                allowed(command)
            _tell(report, one, self._refusal(door, one, sender))
        return report

    def carry_out(
        self,
        sender: Context,
        allowed: Allowed = lambda _: None,
        on_progress: Callable[[UndoReport], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> UndoReport:
        """Takes it back: each product whole or not at all but for its stock, whose movements are commands of their own.

        All is looked at first: Refused, with nothing written, when somebody changed a field since and it was not said
        what to do then; Forbidden when one thing is not allowed. Again it changes nothing, and after it was ended half
        way it goes on. Raises Unavailable.
        """
        plan = self.plan(sender, allowed)
        if plan.newer and self._newer == "refuse":
            raise _changed_since(plan)
        report = self._report(sender, dry_run=False)
        for one in self._inverses():
            if stop is not None and stop.is_set():
                report.stopped = True
                break
            _tell(report, one, self._taken_back(one, sender, allowed))
            on_progress(report)
        return report

    def _report(self, sender: Context, *, dry_run: bool) -> UndoReport:
        return UndoReport(
            selection=self._selection,
            events=self._chosen.events,
            correlation_id=sender.correlation_id or sender.command_id,
            dry_run=dry_run,
            others=self._chosen.others,
        )

    def _inverses(self) -> Iterator[Inverse]:
        for key, positions in self._chosen.groups.items():
            yield from inverses(self._reader.of_key(key), positions, self._newer)

    def _refusal(self, door: DryRun, one: Inverse, sender: Context) -> str | None:
        try:
            for command, _ in _commands(one):
                door.carry_out(command, sender)
        except Unavailable:
            raise
        except DaybookError as error:
            return error.message
        return None

    def _taken_back(self, one: Inverse, sender: Context, allowed: Allowed) -> str | None:
        try:
            for command, cause in _commands(one):
                context = msgspec.structs.replace(
                    sender,
                    command_id=new_id(),
                    correlation_id=sender.correlation_id or sender.command_id,
                    causation_id=cause,
                    access=allowed(command) or sender.access,
                )
                self._book.carry_out(command, context)
        except Unavailable:
            raise
        except DaybookError as error:
            return error.message
        return None


def _changed_since(plan: UndoReport) -> Refused:
    sku, since = next((product.sku, product.newer[0]) for product in plan.products if product.newer)
    return Refused(
        f"{plan.newer} of the products were changed since, such as {since.field} of {sku} by {since.actor} at position "
        f"{since.position}: look at the plan (dry run), then say whether to skip such fields or to force them back",
        sku=sku,
        field=since.field,
        position=since.position,
    )


def sent(actor: str, selection: Selection, reason: str | None = None) -> Context:
    """Who undoes what: the columns of its events."""
    return Context.new(actor, SOURCE, reason=reason or selection.said()[:1000])


def _commands(one: Inverse) -> Iterator[tuple[Command, str | None]]:
    if one.wish is not None:
        yield one.wish, None
    for event_id, move in one.pieces:
        yield move, event_id


def _tell(report: UndoReport, one: Inverse, refused: str | None) -> None:
    report.newer += bool(one.newer)
    report.refused += refused is not None
    report.undone += refused is None and bool(one.changes)
    if len(report.products) < SHOWN_MAX:
        told = UndoneProduct(sku=one.sku, changes=one.changes, newer=one.newer, refused=refused)
        report.products.append(told)
    else:
        report.left_out += 1
