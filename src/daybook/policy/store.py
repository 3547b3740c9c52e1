"""How far a policy is and what it keeps, in Postgres: read before a step, written in the transaction of its append."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from daybook.errors import Unavailable
from daybook.events import Recorded
from daybook.events.codec import stored_names
from daybook.log.reader import recorded
from daybook.policy.contract import Policy
from daybook.policy.folding import NOTHING, KeptGroup
from daybook.postgres.pool import Connection, Pool, fetch, reachable
from daybook.postgres.sql import beside

QUERIES = beside(__file__)


class PolicyMoved(Unavailable):
    """Somebody else moved the policy's checkpoint meanwhile."""


class PolicyRow(msgspec.Struct, frozen=True):
    """How far it is."""

    version: int
    position: int
    decides_from: int
    retried: int
    swept: str | None


class Step(msgspec.Struct):
    """What one transaction writes beside the append."""

    kept: dict[str, KeptGroup] = {}
    parked: dict[str, tuple[int, str]] = {}
    """Key -> at which event, and why."""
    unparked: tuple[str, ...] = ()


class PolicyStore:
    """The rows of one policy."""

    def __init__(self, pool: Pool, policy: Policy) -> None:
        self._pool = pool
        self._policy = policy
        self._state = msgspec.json.Decoder(_shape(policy))

    def open(self) -> PolicyRow:
        """Where it is; a policy that was never run begins at the log's end. Raises Unavailable."""
        given = {"name": self._policy.name, "version": self._policy.version}
        with reachable(), self._pool.connection() as conn:
            conn.execute(QUERIES["begin"], given)
            row = conn.execute(QUERIES["row"], (self._policy.name,)).fetchone()
        assert row is not None
        return PolicyRow(*row)

    def start_over(self) -> None:
        """Has all folded anew by another version of the code."""
        with reachable(), self._pool.connection() as conn, conn.transaction():
            conn.execute(QUERIES["start_over"], {"name": self._policy.name, "version": self._policy.version})
            conn.execute(QUERIES["drop_groups"], (self._policy.name,))
            conn.execute(QUERIES["drop_parked"], (self._policy.name,))

    def groups(self, keys: Collection[str]) -> dict[str, KeptGroup]:
        """What is kept of these groups; of one that is new, nothing."""
        rows = fetch(self._pool, QUERIES["groups"], (self._policy.name, list(keys)))
        found = {key: self._decoded(kept) for key, kept in rows}
        return {key: found.get(key, NOTHING) for key in keys}

    def groups_behind(self, key: str, limit: int) -> dict[str, KeptGroup]:
        """The next groups in order of key, without those that stand aside."""
        rows = fetch(self._pool, QUERIES["groups_behind"], {"policy": self._policy.name, "after": key, "limit": limit})
        return {key: self._decoded(kept) for key, kept in rows}

    def parked_among(self, keys: Collection[str]) -> set[str]:
        """Which of these stand aside."""
        return {key for (key,) in fetch(self._pool, QUERIES["parked_of"], (self._policy.name, list(keys)))}

    def parked(self) -> list[str]:
        """The groups that stand aside, in order of key."""
        return [
            row[0]
            for row in fetch(
                self._pool, QUERIES["parked_page"], {"policy": self._policy.name, "after": "", "limit": None}
            )
        ]

    def write(self, conn: Connection, was: PolicyRow, now: PolicyRow, step: Step) -> None:
        """In the transaction of the append. Raises PolicyMoved unless the policy is exactly where it was."""
        name = self._policy.name
        given = {"name": name, "version": was.version, "was": was.position, "was_retried": was.retried}
        given |= {"was_swept": was.swept, "position": now.position, "retried": now.retried, "swept": now.swept}
        if conn.execute(QUERIES["move"], given).rowcount != 1:
            raise PolicyMoved(f"the policy {name} is not where it was: it is read again")
        if step.kept:
            kept = [msgspec.json.encode(one).decode() for one in step.kept.values()]
            conn.execute(QUERIES["keep"], {"policy": name, "keys": list(step.kept), "kept": kept})
        if step.unparked:
            conn.execute(QUERIES["unpark"], (name, list(step.unparked)))
        for key, (position, reason) in step.parked.items():
            conn.execute(QUERIES["park"], {"policy": name, "key": key, "position": position, "reason": reason})

    def note_failure(self, reason: str) -> None:
        """Says where people look that the policy as a whole can't go on."""
        with reachable(), self._pool.connection() as conn:
            conn.execute(QUERIES["fail"], {"name": self._policy.name, "reason": reason[:500]})

    def _decoded(self, kept: str) -> KeptGroup:
        found = self._state.decode(kept)
        return KeptGroup(found.state, found.said, found.own)


def events_of(pool: Pool, policy: Policy, keys: Sequence[str], upto: int) -> dict[str, list[Recorded]]:
    """What the policy folds of these groups, by group, up to a position. Raises Unavailable and CorruptLog."""
    types = sorted(stored_names((*policy.reads, *policy.writes)))
    by_key: dict[str, list[Recorded]] = {key: [] for key in keys}
    for row in fetch(pool, QUERIES["events_of"], {"keys": list(keys), "types": types, "upto": upto}):
        one = recorded(row)
        by_key[one.key].append(one)
    return by_key


def shared_at(policy: Policy, events: Mapping[str, Iterable[Recorded]]) -> Any:
    """The shared state after these events, by key."""
    shared = policy.beginning
    for one in sorted((one for some in events.values() for one in some), key=lambda one: one.position):
        if isinstance(one.event, policy.shared):
            shared = policy.fold_shared(shared, one)
    return shared


def _shape(policy: Policy) -> Any:
    return msgspec.defstruct(
        "KeptShape", [("state", policy.state | None), ("said", policy.said | None), ("own", dict[str, int])]
    )
