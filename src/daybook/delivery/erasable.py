"""The journal as a place that an erasure clears: see `daybook.delivery.personal` for how it is marked."""

from daybook.people.places import ErasablePlace
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import beside

QUERIES = beside(__file__)


def erase(pool: Pool, person: str) -> int:
    """Clears what the journal holds of a person; how many attempts that were. Safe to repeat."""
    return len(fetch(pool, QUERIES["forget_person"], (person,)))


JOURNAL = ErasablePlace(
    name="delivery journal",
    about="requests to channels with a person's data, their answers and addresses",
    erase=erase,
)
