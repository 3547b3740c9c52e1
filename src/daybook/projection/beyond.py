"""A checkpoint beyond the log's head: the generation has folded what the log does not have, and must be built again.

No event is folded that the log does not have. A book may still come with such a checkpoint: from a version that
believed the stream, or from a log that was cut by hand.
"""

from daybook.errors import DaybookError
from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import beside
from daybook.projection.generations import Generation

QUERIES = beside(__file__)


class CheckpointBeyond(DaybookError):
    """The listings rest on events that the log does not have. They stay as they are until they are built again."""

    code = "checkpoint_beyond"


async def refuse_beyond(conn: AsyncConnection, generation: Generation) -> None:
    """Raises CheckpointBeyond when the generation is, or was ever found to be, ahead of the log."""
    names = {"projection": generation.projection, "generation": generation.number}
    row = await (await conn.execute(QUERIES["mark_beyond"], names)).fetchone()
    if row is not None:
        raise CheckpointBeyond(words(generation.projection, *row))


async def found_beyond(conn: AsyncConnection) -> list[str]:
    """The projections whose live generation is ahead of the log, or was found to be."""
    return [name for (name,) in await (await conn.execute(QUERIES["found_beyond"])).fetchall()]


async def true_position(conn: AsyncConnection, generation: Generation) -> int:
    """Up to where the generation has surely folded what the log has, and nothing else."""
    names = {"projection": generation.projection, "generation": generation.number}
    row = await (await conn.execute(QUERIES["true_position"], names)).fetchone()
    assert row is not None
    return int(row[0])


def words(name: str, position: int, head: int) -> str:
    """What is wrong and what to do, for a person."""
    return (
        f"{name} has folded up to position {position}, and the log ended at {head}: its listings rest on events that "
        f"the log does not have, and nothing more is folded into them. `daybook channel rebuild {name} --apply` builds "
        "them from the log"
    )
