"""What a run found, for people and for programs."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from tests.chaos.plan import Injected
from tests.chaos.truth import Wish
from tests.chaos.world import World

TABLES = ("events", "deliveries", "lanes", "doubts", "attempts", "projections", "generations")


class Result(msgspec.Struct, kw_only=True):
    """A run."""

    seed: str
    minutes: float
    channels: Sequence[str]
    rounds: int = 0
    seconds: float = 0.0
    events: int = 0
    acknowledged: int = 0
    tries: int = 0
    """Requests of the writers, those without an answer too."""
    answers: Mapping[str, int] = {}
    """Kind of answer -> how often the writers got it."""
    told: Mapping[str, int] = {}
    """Way of waiting -> in how many looks at the status it was told."""
    past: int = 0
    """Answers about the past that were noted."""
    checks: int = 0
    level_seconds: Sequence[float] = ()
    """How long it took to become level, each time."""
    steps: Sequence[str] = ()
    """What the status asked a person to do, and was done."""
    faults: Sequence[Injected] = ()
    broken: Mapping[str, Sequence[str]] = {}
    """Invariant -> what breaks it."""
    kept: str | None = None
    """Where everything lies that a violation left."""

    @property
    def command(self) -> str:
        """How to do the same again."""
        return f"python -m tests.chaos --minutes {self.minutes:g} --seed {self.seed}"

    def counts(self) -> dict[str, int]:
        """Fault -> how often it happened."""
        found: dict[str, int] = {}
        for one in self.faults:
            found[one.name] = found.get(one.name, 0) + 1
        return dict(sorted(found.items()))


def as_json(result: Result) -> str:
    """For programs."""
    body = msgspec.to_builtins(result) | {"counts": result.counts(), "command": result.command}
    return json.dumps(body, indent=2, default=str)


def show(result: Result) -> None:
    """For people."""
    console = Console()
    table = Table(title=f"{len(result.faults)} faults in {result.rounds} rounds", title_justify="left")
    table.add_column("fault")
    table.add_column("times", justify="right")
    for name, times in result.counts().items():
        table.add_row(name, str(times))
    console.print(table)
    console.print(
        f"{result.acknowledged} commands acknowledged ({result.tries} requests), {result.events} events, "
        f"{result.past} past answers, {result.checks} checks, {result.seconds:.0f} s; level after "
        f"{', '.join(f'{one:.0f}' for one in result.level_seconds) or '-'} s"
    )
    console.print(f"answers: {dict(result.answers)}\ntold: {dict(result.told)}", highlight=False)
    for step in result.steps:
        console.print(f"a person's step: {step}", highlight=False, markup=False)
    for invariant, wrong in result.broken.items():
        console.print(f"BROKEN: {invariant}", style="bold red")
        for one in wrong[:20]:
            console.print(f"  {one}", highlight=False, markup=False)
        if len(wrong) > 20:
            console.print(f"  and {len(wrong) - 20} more")
    console.print("all invariants hold" if not result.broken else f"all of it: {result.kept}")
    console.print(f"again: {result.command}", highlight=False)


def keep(result: Result, world: World | None, wishes: Mapping[str, Wish]) -> Path:
    """Writes down all that is needed to understand a violation: the plan, the truth, the tables and the logs."""
    folder = Path(tempfile.mkdtemp(prefix=f"daybook-chaos-{result.seed}-"))
    (folder / "wishes.json").write_text(json.dumps([msgspec.to_builtins(one) for one in wishes.values()], indent=1))
    if world is not None:
        for name, text in world.logs(lines=20_000).items():
            (folder / f"{name}.log").write_text(text)
        for table in TABLES:
            _dump(folder / f"{table}.jsonl", world, table)
        for name, box in world.shops.all().items():
            received: Any = getattr(box, "received", ())
            lines = [msgspec.json.encode(one).decode() + "\n" for one in received]
            (folder / f"received-{name}.jsonl").write_text("".join(lines))
    (folder / "result.json").write_text(as_json(result))
    return folder


def _dump(file: Path, world: World, table: str) -> None:
    try:
        rows = world.rows(f"SELECT row_to_json(t)::text FROM {table} t")
    except Exception as error:  # Postgres itself may be what is broken
        file.write_text(f"{error!r}\n")
    else:
        file.write_text("".join(f"{row}\n" for (row,) in rows))
