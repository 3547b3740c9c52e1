"""What happens to a change that holds from a moment on, until that moment has come."""

from datetime import datetime
from typing import Any

import msgspec

SCHEDULE_KEY = "@schedule"
"""The key of all of them: what was planned is found without reading anything else."""


class SchedulePlanned(msgspec.Struct, frozen=True, kw_only=True):
    """A change was planned for a moment. `change` is the command, as an import has it: its `type` and what it says."""

    schedule: str
    due_at: datetime
    """UTC."""
    change: dict[str, Any]


class ScheduleMoved(msgspec.Struct, frozen=True, kw_only=True):
    """It is due at another moment; one that was refused is planned again."""

    schedule: str
    due_at: datetime


class ScheduleWithdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """It will not be carried out."""

    schedule: str


class ScheduleFellDue(msgspec.Struct, frozen=True, kw_only=True):
    """Its moment came. What it changed follows in the same append; nothing does when it was so already."""

    schedule: str
    due_at: datetime


class ScheduleRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Its moment came, and the book refused the change. It waits for a person, who moves or withdraws it."""

    schedule: str
    due_at: datetime
    code: str
    reason: str
