"""People's keys when Daybook starts: their database, and who must not come back with a restored one."""

from __future__ import annotations

from daybook.app import App
from daybook.config import Settings
from daybook.errors import DaybookError
from daybook.postgres.migrate import KEYS, migrate
from daybook.terminal.carry_out import actor
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import note


def migrated_keys(found: Settings) -> list[str]:
    """The migrations that the database of the keys was missing, applied; none when it is the book's own."""
    return migrate(found.keys_postgres, KEYS) if found.keys_postgres else []


def replay_erasures(common: CommonOptions, found: Settings) -> None:
    """Erases again whom a restore brought back, and says so. What stands in the way is told, and stops nothing:

    a catalogue is sold without its people, and `daybook status` goes on telling what an erasure still waits for.
    """
    try:
        with App(found, connections=2) as app:
            done = app.erasure.replay(actor(common), "replay")
    except DaybookError as error:
        note(common, f"erasures could not be replayed: {error.message}. Then run `daybook privacy replay`")
        return
    if done.keys or done.erased or done.abandoned:
        note(
            common,
            f"{done.erased} people who had been erased were erased again: {done.keys} had a key, {done.recorded} "
            "erasures were not in the log",
        )
