"""What was said beside a command's own arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CommonOptions:
    """What was said beside the command's own arguments."""

    environ: Mapping[str, str]
    data: Path | None = None
    json: bool = False
    actor: str | None = None
    reason: str | None = None
    command_id: str | None = None
    expect_version: int | None = None
