"""Which erasures there are and how far they came, and the list of the erased outside of every database."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from daybook.errors import BadConfiguration, InvalidValue
from daybook.people.person import parse_person_id
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

RECENT_SECONDS = 3600.0
"""What an erasure has cleared is cleared once more by a replay within this time: a request that was under way when it
began may have been written down after it."""
PAGE_EVENTS = 1000


class Remains(msgspec.Struct, frozen=True):
    """What is left of a person in the book who is to be erased."""

    person: str
    type: str | None
    """Of the person's newest event; None when the log never heard of him or her."""
    finished: bool
    recent: bool
    sealed: bool
    """There are sealed values, which nobody can open."""

    @property
    def recorded(self) -> bool:
        """The log says that he or she was erased, or does not know whom."""
        return self.type is None or self.type.startswith("person.erased.")

    @property
    def gone(self) -> bool:
        """Every step was taken, though some while ago or a moment ago."""
        return self.recorded and self.finished and not self.sealed


class ErasureRows:
    """The book's account of erasures. Lost with a restore to an earlier moment: the lists of the erased are not."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def begin(self, person: str) -> None:
        """Before anything is destroyed. Safe to repeat."""
        fetch(self._pool, QUERIES["begin"], (person,))

    def finish(self, person: str) -> None:
        """After the last step. Safe to repeat."""
        fetch(self._pool, QUERIES["finish"], (person,))

    def remains(self, people: Sequence[str], *, others: bool = False) -> list[Remains]:
        """What is left of these, and with `others` also of those whose erasure is open or recent."""
        given = {"people": list(people), "recent": RECENT_SECONDS, "others": others}
        return [Remains(*row) for row in fetch(self._pool, QUERIES["to_look_at"], given)]

    def recorded(self) -> Iterator[str]:
        """Everybody whose erasure the log has."""
        after = 0
        while page := fetch(self._pool, QUERIES["recorded"], (after, PAGE_EVENTS)):
            yield from (person for _, person in page)
            after = page[-1][0]


class ErasedFile:
    """A file with the id of everybody who was erased, a line each: it outlives a restore of the databases.

    Ids say nothing of anybody, so the file is no secret. Lines are only added; one that was cut off is left out.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def add(self, people: Iterable[str]) -> int:
        """Adds those that are not in it, and waits for the disk. Safe to repeat. Raises BadConfiguration."""
        if self._path is None:
            return 0
        new = sorted(set(people) - self.read())
        if not new:
            return 0
        try:
            with self._path.open("a+b") as file:
                torn = file.seek(0, os.SEEK_END) > 0 and self._path.read_bytes()[-1:] != b"\n"
                file.write(b"\n" * torn + "".join(f"{one}\n" for one in new).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from None
        return len(new)

    def read(self) -> set[str]:
        """Everybody in it. Raises BadConfiguration for a file that can't be read."""
        if self._path is None:
            return set()
        try:
            lines = self._path.read_text(encoding="ascii", errors="replace").split()
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise self._unusable(error) from None
        return {person for line in lines if (person := _id(line))}

    def _unusable(self, error: OSError) -> BadConfiguration:
        return BadConfiguration(
            f"{self._path} can't be used to list who was erased: {error.strerror}. Let DAYBOOK_ERASED_FILE name a file "
            "that can be written",
            field="DAYBOOK_ERASED_FILE",
        )


def _id(line: str) -> str | None:
    try:
        return parse_person_id(line)
    except InvalidValue:
        return None
