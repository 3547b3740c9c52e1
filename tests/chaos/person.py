"""The person who looks at the status and does what it says."""

from typing import Any

from tests.chaos.api import NoAnswer
from tests.chaos.world import World

STEPS = {"stream_stuck": "daybook stream reset"}
"""Way of waiting -> the next step that is taken when the status names it."""


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


def follow(world: World, found: list[dict[str, Any]]) -> bool:
    """Takes the steps that the status asks for; whether there was one."""
    asked = [one for one in found if STEPS.get(one["kind"]) == one["next_step"]]
    for item in asked:
        done = world.run(*item["next_step"].split()[1:], "--yes")
        failed = f": exit {done.returncode}, {done.stderr}" if done.returncode else ""
        world.steps.append(f"{item['next_step']} ({item['reason']}){failed}")
    return bool(asked)
