"""Every way in which something can wait, after how long a person is told, and how bad that is."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from daybook.queries import stream_state

Level = Literal["failure", "warning", "note"]


class Way(msgspec.Struct, frozen=True):
    """One way in which something can wait, and after how long a person is told."""

    level: Level
    """`failure`: no channel is fed and the process says that it is not ready. `warning`: a person has to look. `note`:
    work that waits for a person, as every catalogue has."""
    bound_seconds: float
    counts: str
    """What its number counts; empty where there is one of it."""
    meaning: str


WAYS: Mapping[str, Way] = {
    "stream_missing": Way("failure", stream_state.UNREADY_SECONDS, "events", "there is none, or no relay has ever run"),
    "stream_stuck": Way("failure", stream_state.UNREADY_SECONDS, "events", "the relay can't go on, or is not there"),
    "stream_behind": Way("warning", 300.0, "events", "the stream is being filled"),
    "erasure": Way("warning", 60.0, "people", "an erasure was begun and has not taken every step"),
    "abandoned_people": Way("warning", 3600.0, "writes", "of people's data, cut off before they were recorded"),
    "orders_waiting": Way("warning", 60.0, "orders", "a channel told them, and nobody takes them"),
    "orders_refused": Way("warning", 0.0, "orders", "a channel told them, and they can't be taken as they are"),
    "inbox_unread": Way("warning", 60.0, "", "other systems may send commands, and nobody takes them"),
    "inbox_refused": Way("warning", 0.0, "messages", "other systems sent them, and they can't be taken as they are"),
    "orders_unshipped": Way("warning", 259200.0, "orders", "among the newest 10,000, with pieces that are to be sent"),
    "orders_oversold": Way("note", 0.0, "orders", "among those, that sold more than there was"),
    "orders_unasked": Way("warning", 900.0, "", "a channel can't be asked which of its orders changed"),
    "stream_limit": Way("warning", 0.0, "", "the NATS server takes smaller messages than an event may need"),
    "connections": Way("warning", 0.0, "connections", "in use; hardly one is left for a process that starts"),
    "clock": Way("warning", 0.0, "", "Postgres's clock was set back behind the log's last event"),
    "clock_behind": Way("warning", 30.0, "changes", "their moment has come, and nobody runs the clock"),
    "policy_failing": Way("warning", 30.0, "", "a policy's own code fails, for no product group in particular"),
    "policy_behind": Way("warning", 60.0, "events", "a policy has not folded them, or nobody runs it"),
    "policy_parked": Way("warning", 0.0, "groups", "a policy's own code could not fold or decide them"),
    "policy_version": Way("warning", 0.0, "", "a policy's new code waits for a person who has seen its plan"),
    "checkpoint_beyond": Way("warning", 0.0, "", "a projection has folded what the log does not have"),
    "projection_failing": Way("warning", 60.0, "events", "a projection's own code, or its servers, fail"),
    "projection_without_runner": Way("warning", 30.0, "events", "they wait, and nobody runs the projection"),
    "projection_behind": Way("warning", 300.0, "events", "they wait, and the runner reads them"),
    "not_started": Way("warning", 30.0, "", "a channel is not connected, or its kind is gone"),
    "parked": Way("warning", 0.0, "groups", "the channel's own code could not fold or render them"),
    "channel_down": Way("warning", 300.0, "facets", "the channel does not answer; one product is tried now and then"),
    "channel_stopped": Way("warning", 0.0, "facets", "the channel asked not to be called any more"),
    "paused": Way("note", 0.0, "facets", "a person paused the channel"),
    "delivery_without_worker": Way("warning", 30.0, "facets", "due, and nobody delivers"),
    "lane_without_time": Way("warning", 120.0, "facets", "due, and no time is set to look at them; a sweep sets one"),
    "stranded": Way("warning", 0.0, "facets", "their lane has a time or a lease days away: nobody looks at them"),
    "unaccounted": Way("warning", 0.0, "facets", "delivery was told something else than the listing says"),
    "doubted": Way("warning", 300.0, "lanes", "they were taken from a worker that may still send"),
    "failing": Way("warning", 600.0, "facets", "the last try failed; tried again with longer and longer pauses"),
    "not_there_yet": Way("warning", 3600.0, "facets", "they need something that the channel does not have yet"),
    "submission": Way("warning", 3600.0, "facets", "the channel accepted it and has not said what became of it"),
    "due": Way("warning", 3600.0, "facets", "they are in the queue, and the channel takes nothing"),
    "rebuild": Way("warning", 600.0, "", "a rebuild that was begun and makes no step"),
    "policy_paused": Way("note", 0.0, "events", "a person paused the policy"),
    "rebuild_ready": Way("note", 0.0, "", "a rebuild that is ready waits for a person"),
    "rejected": Way("note", 0.0, "facets", "the channel refused them"),
    "blocked": Way("note", 0.0, "facets", "they wait for a listing that the channel refused"),
    "schedule_refused": Way("note", 0.0, "changes", "the book refused them when their moment came"),
    "held": Way("note", 0.0, "SKUs", "they can't be shown as they are"),
}  # fmt: skip
"""Kind -> what is to be thought of it. The worst first; a page of the reference is made of it."""
