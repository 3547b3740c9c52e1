"""The person who looks at the status and does what it says."""

from typing import Any

from tests.chaos.api import NoAnswer
from tests.chaos.world import World

TIMES_MAX = 8
"""What does not help so often does not help."""


def waiting(world: World) -> list[dict[str, Any]] | None:
    """What the status says that waits; None when nobody answers."""
    try:
        status = world.api.get("/api/v1/status")
    except NoAnswer:
        return None
    if status.status != 200:
        return None
    found: list[dict[str, Any]] = status.body["waiting"]
    return found


def step(item: dict[str, Any]) -> tuple[str, ...] | None:
    """The command that a person types for what waits; None when it is not theirs to do."""
    match item["kind"]:
        case "stream_stuck" if item["next_step"] == "daybook failover":
            return "failover", "--yes"
        case "channel_stopped":
            return "channel", "resume", item["channel"]
        case "rejected" | "blocked":  # by a marketplace that had a bad day: nothing of the catalogue is wrong
            return "channel", "retry", item["channel"]
    return None


def follow(world: World, found: list[dict[str, Any]], since: int = 0) -> bool:
    """Takes the steps that the status asks for, each some times since so many steps; whether there was one."""
    steps = {typed: item for item in found if (typed := step(item)) is not None}
    done_already = [one.partition(" (")[0] for one in world.steps[since:]]
    steps = {typed: item for typed, item in steps.items() if done_already.count(_said(typed)) < TIMES_MAX}
    for typed, item in steps.items():
        more = ("--file", str(world.data / f"lost-events-{len(world.steps)}.jsonl")) if typed[0] == "failover" else ()
        done = world.run(*typed, *more)
        failed = f": exit {done.returncode}, {done.stderr}" if done.returncode else ""
        world.steps.append(f"{_said(typed)} ({item['reason'][:120]}){failed}")
    return bool(steps)


def _said(typed: tuple[str, ...]) -> str:
    return f"daybook {' '.join(typed)}"
