"""The same fold run by the `eventsourcing` library's own ProjectionRunner, on its own tables: the yardstick.

As its manual shows it: one event, one transaction, in which the view and the tracking record are written.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import JSONTranscoder, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict

from daybook.catalogue.reference import EMPTY
from daybook.channel.contract import Manifest
from daybook.events import Recorded
from daybook.log.mapper import EventMapper
from daybook.log.pending import NewEvent, PendingEvent
from daybook.projection import folding

AT = datetime(2026, 1, 1, tzinfo=UTC)


class View(PostgresTrackingRecorder):
    """A table of states and one of listings."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.create_table()
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute("CREATE TABLE library_states (key text PRIMARY KEY, state json NOT NULL)")
            cursor.execute(
                "CREATE TABLE library_listings (sku text, facet text, payload json, hash bytea, "
                "PRIMARY KEY (sku, facet))"
            )

    def state(self, key: str) -> str | None:
        """A group's state as JSON."""
        with self.datastore.get_connection() as conn, conn.cursor() as cursor:
            cursor.execute("SELECT state::text AS state FROM library_states WHERE key = %s", (key,))
            row = cursor.fetchone()
        return None if row is None else str(row["state"])

    def put(self, key: str, state: bytes, shown: Mapping[Any, folding.Entry], tracking: Tracking) -> None:
        """All that one event changes."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO library_states VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET state = excluded.state",
                (key, state.decode()),
            )
            cursor.executemany(
                "INSERT INTO library_listings VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (sku, facet) DO UPDATE SET payload = excluded.payload, hash = excluded.hash",
                [(one.sku, one.facet, one.payload and one.payload.decode(), one.hash) for one in shown.values()],
            )


class Sampled(Application[str]):
    """The library's application, with its own recorder and our encoding."""

    name = "sampled"

    def construct_mapper(self, *args: Any, **more: Any) -> Any:
        return EventMapper(JSONTranscoder())


def seconds(dsn: str, sample: Sequence[PendingEvent], manifest: Manifest) -> float:
    """How long the library takes to fold these events, which it has stored before the clock starts."""
    decoder = msgspec.json.Decoder(manifest.state)
    env, events = _environment(dsn), len(sample)
    app = Sampled(env)
    for start in range(0, events, 1000):
        app.recorder.insert_events(sample[start : start + 1000])
    app.close()

    class Listings(Projection[View]):
        name = "listings"

        def process_event(self, domain_event: Any, tracking: Tracking) -> None:
            recorded = _recorded(domain_event, tracking.notification_id)
            before = self.view.state(recorded.key)
            state = manifest.fold(decoder.decode(before) if before is not None else None, recorded)
            shown = folding.render(manifest, recorded.key, state, EMPTY, recorded.position)
            self.view.put(recorded.key, msgspec.json.encode(state), shown, tracking)

    begun = time.perf_counter()
    with ProjectionRunner(application_class=Sampled, projection_class=Listings, view_class=View, env=env) as runner:
        runner.wait(events, timeout=600)
        return time.perf_counter() - begun


def _recorded(happened: NewEvent, position: int) -> Recorded:
    sku = happened.originator_id.partition("/")[2]
    return Recorded(
        position=position,
        event_id="",
        stream=happened.originator_id,
        version=happened.originator_version,
        type="",
        sku=sku,
        key=sku,
        recorded_at=AT,
        actor="",
        reason=None,
        source="",
        correlation_id="",
        causation_id=None,
        command_id="",
        event=happened.event,
    )


def _environment(dsn: str) -> dict[str, str]:
    given = conninfo_to_dict(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": str(given["port"]),
        "POSTGRES_USER": str(given["user"]),
        "ORIGINATOR_ID_TYPE": "text",
        "POSTGRES_PASSWORD": str(given.get("password") or "none"),
    }
