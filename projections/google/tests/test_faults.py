"""Given a bad day, when products change, then the channel is right in the end: docs/reference/faults.md."""

from projections.google import manifest
from tests.fixtures.matrix import Fault, comes_through, faults


@faults
def test_google_comes_through(fault: Fault | None, database: str, nats_url: str) -> None:
    comes_through(manifest, fault, database, nats_url)
