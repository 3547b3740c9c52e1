"""People's keys: made once, handed out while they last, destroyed for good."""

import threading
from collections.abc import Iterator, Sequence

from daybook.errors import BadConfiguration, Gone
from daybook.people.cipher import new_key
from daybook.people.keys.master import MasterKeys
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

FIRST = "00000000-0000-0000-0000-000000000000"
PAGE_PEOPLE = 1000


class Keyring:
    """The keys of this book's people. Thread-safe; any number of processes. Raises Unavailable and BadConfiguration.

    Hazard: a process that is told of another keys' database would find no keys there, and make new ones that no other
    process knows. So each keys' database has an id, and the book remembers which one is its own.
    """

    def __init__(self, pool: Pool, remembered: "KeysHome", master: MasterKeys) -> None:
        self._pool = pool
        self._remembered = remembered
        self._master = master
        self._checked = False
        self._lock = threading.Lock()

    def make(self, person: str) -> bytes:
        """A key for somebody new. Safe to repeat: the key that is there stays. Raises Gone for who was erased."""
        self._check(claim=True)
        wrapped = {"key": self._master.wrap(person, new_key()), "wrapped_by": self._master.sealing, "person": person}
        fetch(self._pool, QUERIES["make"], wrapped)
        key = self.of([person])[person]
        if key is None:
            raise Gone(f"person {person} was erased: add him or her as somebody new", person=person)
        return key

    def of(self, people: Sequence[str]) -> dict[str, bytes | None]:
        """The keys of those who have one; None for who was erased, also when a backup brought the key back."""
        self._check()
        return {
            person: None if kept is None else self._master.unwrap(person, bytes(kept), by)
            for person, kept, by in fetch(self._pool, QUERIES["of"], (list(people),))
        }

    def destroy(self, people: Sequence[str]) -> list[str]:
        """Destroys keys and notes whose they were, so that none is made again. Those that had one. Safe to repeat."""
        self._check(claim=True)
        return [person for (person,) in fetch(self._pool, QUERIES["destroy"], (list(people),))]

    def drop(self, people: Sequence[str]) -> None:
        """Drops the keys of people whom the log never came to know: they were not erased, they never were."""
        self._check()
        fetch(self._pool, QUERIES["drop"], (list(people),))

    def erased(self) -> Iterator[str]:
        """Everybody who was erased."""
        self._check()
        after = FIRST
        while page := fetch(self._pool, QUERIES["erased"], (after, PAGE_PEOPLE)):
            yield from (person for (person,) in page)
            after = page[-1][0]

    def rewrap(self) -> int:
        """Seals every key with the master key that is first now; how many were sealed otherwise. Safe to repeat."""
        self._check()
        done, after, by = 0, FIRST, self._master.sealing
        while page := fetch(
            self._pool, QUERIES["wrapped_otherwise"], {"after": after, "wrapped_by": by, "limit": PAGE_PEOPLE}
        ):
            plain = {person: self._master.unwrap(person, bytes(kept), was) for person, kept, was in page}
            keys = [self._master.wrap(person, key) for person, key in plain.items()]
            given = {"people": list(plain), "before": [kept for _, kept, _ in page], "keys": keys, "wrapped_by": by}
            done += len(fetch(self._pool, QUERIES["rewrap"], given))
            after = page[-1][0]
        return done

    def _check(self, claim: bool = False) -> None:
        """Once, and again until there is something to check: that these are the keys of this book."""
        with self._lock:
            if self._checked:
                return
            here = str(fetch(self._pool, QUERIES["home"])[0][0])
            known = self._remembered.claim(here) if claim else self._remembered.read()
            if known not in (None, here):
                raise BadConfiguration(
                    "the keys of this book's people are in another database: let DAYBOOK_KEYS_POSTGRES name the one "
                    "that this book has used so far, or leave it unset when they are in the book's own database",
                    field="DAYBOOK_KEYS_POSTGRES",
                )
            self._checked = known is not None


class KeysHome:
    """What the book remembers of where its keys are."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def read(self) -> str | None:
        """The id of the keys' database; None before the first key."""
        rows = fetch(self._pool, QUERIES["known_home"])
        return str(rows[0][0]) if rows else None

    def claim(self, here: str) -> str:
        """The same, and it is this one when there was none."""
        fetch(self._pool, QUERIES["claim_home"], (here,))
        return self.read() or here
