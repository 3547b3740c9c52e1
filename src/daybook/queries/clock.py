"""Whether Postgres's clock was set back behind the log's last event: times along the log wait for it meanwhile."""

from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import beside
from daybook.queries.stream_state import spoken

QUERIES = beside(__file__)
NOTICED_SECONDS = 1.0


def set_back(pool: Pool) -> str | None:
    """What is to be told of it; None while the clock is ahead of the log, as it should be. Raises Unavailable."""
    for last, now in fetch(pool, QUERIES["clock"]):
        seconds = (last - now).total_seconds()
        if seconds > NOTICED_SECONDS:
            return (
                f"Postgres's clock is {spoken(seconds)} behind the log's last event, recorded at "
                f"{last:%Y-%m-%d %H:%M:%S} UTC: it was set. Times in the log never go back, so until it has caught up "
                "new events get that time; see that the server keeps its time"
            )
    return None
