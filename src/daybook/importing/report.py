"""What an import did: counts, and every row that could not be taken or was taken with a flag."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from daybook.errors import InvalidValue
from daybook.importing.records import NOUNS, Noun
from daybook.queries.fields import FieldChange

Outcome = Literal["created", "changed", "unchanged", "failed"]
Listing = tuple[str, str]
"""SKU and channel."""
_PLURALS = {"attribute": "attributes", "category": "categories", "family": "families", "channel": "channels"}
_SHOWN_MAX = 10
PLANS_MAX = 20_000
"""Rows that a dry run tells one by one; the others are counted."""


class RowProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing about one row. `taken`: the row was imported all the same."""

    file: str
    line: int
    sku: str | None
    """The SKU; for a definition its code."""
    field: str | None
    value: str | None
    reason: str
    taken: bool

    def __str__(self) -> str:
        about = "".join(f"{part}: " for part in (self.sku, self.field) if part)
        return f"{self.file}, line {self.line}: {about}{self.reason}"


class RowPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a dry run says about one row that would be created, changed or refused."""

    file: str
    line: int
    noun: Noun
    name: str | None
    """The SKU, or the code of a definition."""
    outcome: Outcome
    changes: tuple[FieldChange, ...] = ()
    """Of what is there already. What would be created is created whole."""
    reasons: tuple[str, ...] = ()
    """Why it would be refused, or what of it can't be done."""


class Tally(msgspec.Struct):
    """How many rows of one noun came out how."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.created + self.changed + self.unchanged + self.failed


class Report(msgspec.Struct, kw_only=True):
    """The state of an import; complete when `ended` is set. Grows by one `Problem` for each flag, by nothing else."""

    correlation_id: str
    """In the log on every event of this import."""
    counts: dict[str, Tally] = msgspec.field(default_factory=lambda: {noun: Tally() for noun in NOUNS})
    flagged: int = 0
    """Rows that were taken with a flag."""
    problems: list[RowProblem] = []
    """In the order in which rows were finished; `sorted_problems` is the order of the files."""
    notices: list[RowProblem] = []
    """Parts of the input that are not imported, each once."""
    dry_run: bool = False
    """Nothing was written."""
    plans: list[RowPlan] = []
    """Of a dry run, at most `PLANS_MAX`."""
    plans_left_out: int = 0
    listings: set[Listing] = set()
    """Of a dry run: those that show something of what would be changed."""
    ended: Literal["running", "complete", "stopped", "outage"] = "running"
    message: str | None = None
    """Why it did not come to its end, and what to do."""
    at: tuple[str, int] | None = None
    """File and line of the last row that was handed in."""
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """Rows that are finished."""
        return sum(tally.total for tally in self.counts.values())

    @property
    def failed(self) -> int:
        """Rows that could not be taken."""
        return sum(tally.failed for tally in self.counts.values())

    @property
    def ok(self) -> bool:
        """It came to its end, and every row was taken."""
        return self.ended == "complete" and not self.failed

    def sorted_problems(self) -> list[RowProblem]:
        """Notices, then problems in the order of the files that they are about."""
        return [*self.notices, *sorted(self.problems, key=lambda one: (one.file, one.line))]

    def summary(self) -> dict[str, Any]:
        """Plain numbers for machines. Keys stay; new ones may come.

        `ended`, `message`, `rows`, `taken`, `failed`, `flagged`, `notices`, `counts` (noun -> created, changed,
        unchanged, failed), `at` ({file, line} or None), `seconds`, `products_per_second`, `correlation_id`, `dry_run`;
        of a dry run `rows_planned` (file, line, noun, name, outcome, changes, reasons), `rows_left_out`, and `listings`
        (channel -> how many show something of what would be changed).
        """
        products = self.counts["product"].total
        planned = {"rows_planned": self.sorted_plans(), "rows_left_out": self.plans_left_out}
        dry = planned | {"listings": self.listings_by_channel()} if self.dry_run else {}
        return {
            "ended": self.ended,
            "message": self.message,
            "rows": self.rows,
            "taken": self.rows - self.failed,
            "failed": self.failed,
            "flagged": self.flagged,
            "notices": len(self.notices),
            "counts": {noun: msgspec.to_builtins(tally) for noun, tally in self.counts.items()},
            "at": None if self.at is None else {"file": self.at[0], "line": self.at[1]},
            "seconds": round(self.seconds, 3),
            "products_per_second": round(products / self.seconds) if self.seconds else None,
            "correlation_id": self.correlation_id,
            "dry_run": self.dry_run,
            **dry,
        }

    def plan(self, plan: RowPlan) -> None:
        """Keeps what would become of a row."""
        if len(self.plans) < PLANS_MAX:
            self.plans.append(plan)
        else:
            self.plans_left_out += 1

    def listings_by_channel(self) -> dict[str, int]:
        """How many listings could follow, by channel."""
        return dict(sorted(Counter(channel for _, channel in self.listings).items()))

    def sorted_plans(self) -> list[RowPlan]:
        """In the order of the files' lines; definitions before products."""
        nouns = {noun: number for number, noun in enumerate(NOUNS)}
        return sorted(self.plans, key=lambda one: (nouns[one.noun], one.file, one.line))

    def lines(self, shown: int = _SHOWN_MAX) -> Iterator[str]:
        """The report for a person, with at most `shown` problems of each kind."""
        for noun, tally in self.counts.items():
            if tally.total:
                parts = ", ".join(f"{count} {word}" for word, count in msgspec.structs.asdict(tally).items() if count)
                yield f"{_PLURALS.get(noun, noun + 's')}: {parts}"
        if self.message:
            yield self.message
        problems = self.sorted_problems()
        for title, some in (
            ("not taken", [one for one in problems if not one.taken]),
            ("taken with a flag", [one for one in problems if one.taken and one not in self.notices]),
            ("not imported", self.notices),
        ):
            if some:
                yield f"{title}:"
                yield from (f"  {one}" for one in some[:shown])
                if len(some) > shown:
                    yield f"  and {len(some) - shown} more; write the whole report to a file to see them"

    def write(self, path: Path) -> None:
        """Every problem, as CSV (`.csv`) or with the summary as JSON (`.json`). Raises InvalidValue for other names."""
        problems = [msgspec.to_builtins(one) for one in self.sorted_problems()]
        if path.suffix == ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, RowProblem.__struct_fields__)
                writer.writeheader()
                writer.writerows({**one, "taken": "yes" if one["taken"] else "no"} for one in problems)
        elif path.suffix == ".json":
            body = msgspec.json.encode({"summary": self.summary(), "problems": problems})
            path.write_bytes(msgspec.json.format(body, indent=2) + b"\n")
        else:
            raise InvalidValue("report", f"{path.name!r} must end in .csv or .json", str(path))


def check_report_path(path: Path) -> None:
    """Raises InvalidValue for a report that `Report.write` could not write: asked before an import, not after it."""
    if path.suffix not in (".csv", ".json"):
        raise InvalidValue("report", f"{path.name!r} must end in .csv or .json", str(path))
    if not path.absolute().parent.is_dir():
        raise InvalidValue("report", f"there is no folder {path.absolute().parent}; make it first", str(path))
