"""What a person sees of a trace: a line for each step, below what led to it."""

from collections.abc import Iterator, Sequence

from daybook.queries.trace import CauseTrace, TraceStep
from daybook.terminal.render import Show, line, plain, stacked


def shown(found: CauseTrace) -> Show:
    """The tree, each line with its time since the first event."""
    more = ", and there is more of it" if found.more else ""
    took = f"{found.events} events in {found.took_ms:.0f} ms, from {found.began_at:%Y-%m-%d %H:%M:%S}"
    title = f"{found.correlation_id}: {took}{more}"
    return stacked(line(title), *(line(text) for text in _lines(found.steps, 0)))


def _lines(steps: Sequence[TraceStep], depth: int) -> Iterator[str]:
    for one in steps:
        time = f"{one.after_ms:9.1f} ms" if one.after_ms is not None else " " * 12
        payload = f" {plain(one.payload)}" if one.payload is not None else ""
        state = f" ({one.state})" if one.state and one.kind != "answer" else ""
        took = f", took {one.milliseconds:.0f} ms" if one.milliseconds is not None else ""
        position = f"  #{one.position}" if one.position is not None else ""
        yield f"{time}  {'  ' * depth}{one.what}{payload}{state}{took}{position}"
        yield from _lines(one.steps, depth + 1)
