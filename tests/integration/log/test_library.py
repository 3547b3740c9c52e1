"""The `eventsourcing` library's own test cases for recorders, on ours."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import AggregateRecorder, StoredEvent
from eventsourcing.popo import POPOAggregateRecorder
from eventsourcing.utils import get_topic

from daybook.log.recorder import LogFactory, LogRecorder
from daybook.postgres.pool import Pool, pool

# The module of test cases also holds those for encrypted events, and imports the library's cipher for them, which needs
# `pycryptodome`. Recorders never meet a cipher, so where that package is absent the name alone is enough to import.
_CIPHER = "eventsourcing.cipher"
if find_spec("Crypto") is None:
    sys.modules[_CIPHER] = ModuleType(_CIPHER)
    sys.modules[_CIPHER].AESCipher = None  # type: ignore[attr-defined]
try:
    from eventsourcing.tests import application as library
    from eventsourcing.tests.persistence import (
        AggregateRecorderTestCase,
        ApplicationRecorderTestCase,
        NonInterleavingNotificationIDsBaseCase,
    )
finally:
    if find_spec("Crypto") is None:
        del sys.modules[_CIPHER]

MEASURES = "measures and prints; tests/benchmarks/bench_append.py measures, with a baseline"


class OnOurLog:
    """A recorder on a fresh database. Streams have names here, so the ids that the cases make up are texts."""

    _pool: Pool
    recorder_class: type[LogRecorder] = LogRecorder

    @pytest.fixture(autouse=True)
    def _fresh(self, database: str) -> Iterator[None]:
        with pool(database, "test", 16) as self._pool:
            yield

    def create_recorder(self) -> LogRecorder:
        """Ours."""
        return self.recorder_class(self._pool)

    def new_originator_id(self) -> str:
        """A stream's name."""
        return f"stream/{uuid4()}"


class WithoutPositions(LogRecorder):
    """What the case for streams alone takes for granted, and ours does otherwise.

    It wants no positions back. And it numbers its last stream from 0, which here means behind whatever the stream holds
    and becomes 1: that one stream is read back as it was given.
    """

    from_zero: frozenset[str] = frozenset()

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        """As ours."""
        self.from_zero |= {str(one.originator_id) for one in stored_events if one.originator_version == 0}
        super().insert_events(stored_events, **kwargs)

    def select_events(self, originator_id: Any, **kwargs: Any) -> Sequence[StoredEvent]:
        """As ours."""
        events = super().select_events(originator_id, **kwargs)
        shift = originator_id in self.from_zero
        return [replace(one, originator_version=one.originator_version - shift) for one in events]


class FromOne(LogRecorder):
    """A case that counts versions from 0 is moved up by one: here 0 means behind whatever the stream holds."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """As ours, one version later."""
        moved = [replace(event, originator_version=event.originator_version + 1) for event in stored_events]
        return super().insert_events(moved, **kwargs)


class TestAggregateRecorder(OnOurLog, AggregateRecorderTestCase):
    """The library's promises for a recorder of streams."""

    recorder_class = WithoutPositions

    @pytest.mark.skip(reason=MEASURES)
    def test_performance(self) -> None:
        """See the reason."""


class TestApplicationRecorder(OnOurLog, ApplicationRecorderTestCase[LogRecorder]):
    """The library's promises for a recorder that gives events an order."""

    @pytest.mark.skip(reason=MEASURES)
    def test_performance(self) -> None:
        """See the reason."""

    @pytest.mark.skip(reason=MEASURES)
    def test_concurrent_throughput(self) -> None:
        """See the reason."""

    def test_concurrent_no_conflicts(self, initial_position: int = 0) -> None:
        """As the case has it, from version 1."""
        self.recorder_class = FromOne
        super().test_concurrent_no_conflicts(initial_position)


class TestNonInterleavingPositions(OnOurLog, NonInterleavingNotificationIDsBaseCase):
    """A long command of one thread and a long command of another do not mix."""

    insert_num = 1000

    def create_stack(self, originator_id: object) -> Sequence[StoredEvent]:
        """As the case has it, for ids that are texts."""
        return [
            StoredEvent(originator_id=str(originator_id), originator_version=n, topic="topic", state=b"{}")
            for n in range(1, self.insert_num + 1)
        ]


def test_the_librarys_subscription_is_refused_because_it_needs_notify_inside_the_append(database: str) -> None:
    with pool(database, "test") as connections, pytest.raises(NotImplementedError, match="poll"):
        LogRecorder(connections).subscribe()


def test_a_body_that_is_no_json_comes_back_as_it_was(database: str) -> None:
    states = [b"\x00\xff binary", b"", b'{"opaque":"0a"}', b"{}"]
    with pool(database, "test") as connections:
        recorder = LogRecorder(connections)
        recorder.insert_events([StoredEvent("s/1", n, "t", state) for n, state in enumerate(states, 1)])

        assert [one.state for one in recorder.select_events("s/1")] == states


def test_nothing_to_insert_is_nothing_done(database: str) -> None:
    with pool(database, "test") as connections:
        recorder = LogRecorder(connections)

        assert recorder.insert_events([]) == []
        assert recorder.max_notification_id() is None


class CaseFactory(LogFactory):
    """Our recorder for events. The case wants every snapshot that was ever taken; ours keeps the newest of a stream."""

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Snapshots, in memory."""
        return POPOAggregateRecorder()


class TestAnApplicationOfTheLibrary(OnOurLog, library.ExampleApplicationTestCase):
    """The library's example application, with its own aggregates, mapper and transcoder, on our recorder."""

    expected_factory_topic = get_topic(CaseFactory)

    @pytest.fixture(autouse=True)
    def _factory(self, _fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(CaseFactory, "pool", self._pool, raising=False)
        monkeypatch.setenv("PERSISTENCE_MODULE", self.expected_factory_topic)
