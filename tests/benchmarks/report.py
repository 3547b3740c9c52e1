"""What every benchmark prints: a table for people, or with --json one object a line for machines."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured value.

    `target` is what the design promises, `baseline` what the same machine does in the same run without our part:
    on another machine the ratio of value and baseline says more than the value.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    baseline: float | None = None
    at_most: bool = False
    """The target is a ceiling (a time), not a floor (a rate)."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


def machine() -> dict[str, Any]:
    """What the figures depend on. `load` is the last minute's: above a few tenths, somebody else was busy too."""
    return {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "cpu": _cpu(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def report(name: str, figures: Sequence[Figure], as_json: bool) -> None:
    """Prints one benchmark's figures to standard output."""
    if as_json:
        plain = [{**asdict(figure), "met": figure.met} for figure in figures]
        body = {"benchmark": name, "machine": machine(), "figures": plain}
        sys.stdout.write(msgspec.json.encode(body).decode() + "\n")
        return
    here = machine()
    caption = (
        f"{here['cpus']} CPUs ({here['cpu']}), {here['memory_gib']} GiB, Python {here['python']}, load {here['load']}"
    )
    table = Table(title=name, title_justify="left", caption=caption, caption_justify="left")
    for heading, justify in (("figure", "left"), ("value", "right"), ("target", "right"), ("baseline", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    table.add_column("")
    for figure in figures:
        bound = "≤" if figure.at_most else "≥"
        table.add_row(
            figure.name,
            f"{_short(figure.value)} {figure.unit}",
            "" if figure.target is None else f"{bound} {_short(figure.target)}",
            "" if figure.baseline is None else f"{_short(figure.baseline)} ({figure.value / figure.baseline:.0%})",
            {None: "", True: "met", False: "MISSED"}[figure.met],
        )
    Console().print(table)


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that every benchmark has: --json, and --quick for a run that only shows that it works."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    return parser


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
