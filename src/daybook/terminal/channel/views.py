"""What a person sees of channels and of listings on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from daybook.events import Rejection
from daybook.queries.channel_history import ChannelChange
from daybook.queries.channels import Attempt, ChannelStatus, FacetStatus
from daybook.terminal.render import Show, cell, plain, stacked
from daybook.terminal.tables import table


def channels(found: Sequence[ChannelStatus]) -> Show:
    """One line a channel."""
    names = ("listings", "held", "due", "in_flight", "accepted", "confirmed", "rejected", "parked", "lag", "workers")
    rows = [
        (
            one.name,
            _state(one),
            *(getattr(one, name) for name in names),
            _next_try(one),
            trouble(one),
        )
        for one in found
    ]
    columns = ("channel", "state", *(f"#{name.replace('_', ' ')}" for name in names), "next try (UTC)", "last error")
    return table(columns, rows, "no projection has run here yet: start them with `daybook up`")


def history(found: Sequence[ChannelChange]) -> Show:
    """A row for each thing that was done."""
    rows = [(one.position, one.recorded_at, one.sentence, one.actor, one.access, one.reason) for one in found]
    return table(("#position", "when (UTC)", "what", "who", "through", "why"), rows, "nothing was done to it yet")


def _next_try(one: ChannelStatus) -> datetime | None:
    """Of the channel when it is down or asked for a pause, else of the first product that waits."""
    if one.breaker is not None and (one.breaker.next_try or one.breaker.quiet_until):
        return one.breaker.next_try or one.breaker.quiet_until
    return one.next_try


def _state(one: ChannelStatus) -> str:
    if one.state != "running":
        return one.state
    return "level" if one.level else "working"


def trouble(one: ChannelStatus) -> str | None:
    """What went wrong last."""
    if one.failure:
        said = {name: value for name, value in one.failure.items() if name != "error"}
        where = ", ".join(f"{name.replace('_', ' ')} {plain(value)}" for name, value in said.items())
        return f"{one.failure.get('error', '')} ({where})" if where else str(one.failure.get("error", ""))
    if one.paused:
        return "paused by a person" if one.paused_because is None else f"paused by the channel: {one.paused_because}"
    if one.breaker is not None and one.breaker.down:
        return f"{one.breaker.failures} failures in a row: {one.breaker.reason or one.last_error}"
    return one.last_error


def reasons(found: Sequence[Rejection]) -> str:
    """A channel's own words."""
    return "; ".join(f"{one.code} {one.message}".strip() for one in found)


def facets(found: dict[str, list[FacetStatus]], attempts: dict[str, list[Attempt]]) -> Show:
    """One line a facet, and one a request."""
    rows = [
        (name, one.facet, one.state, one.acknowledged, one.position, one.attempts, _content(one))
        for name, all in found.items()
        for one in all
    ]
    columns = ("channel", "facet", "state", "acknowledged", "#position", "#attempts", "content")
    requests = [
        (name, one.at, one.facet, one.outcome, one.status, f"{one.method or ''} {one.url or ''}", one.detail)
        for name, all in attempts.items()
        for one in all
    ]
    parts = [table(columns, rows, "no channel shows it")]
    if requests:
        parts.append(table(("channel", "at (UTC)", "facet", "outcome", "#status", "request", "detail"), requests))
    return stacked(*parts)


def _content(one: FacetStatus) -> str:
    why = reasons(one.reasons)
    said = f"held: {cell(one.held)}" if one.held is not None else plain(one.payload)
    return f"{said}\nrejected: {why}" if why else said
