"""Given a bad day, when products change, then the channel is right in the end: docs/reference/faults.md."""

import pytest

from daybook_projections.shopify import manifest
from tests.fixtures.matrix import Fault, comes_through, comes_through_kills, faults
from tests.fixtures.servers import ServerPair


@faults
def test_shopify_comes_through(fault: Fault | None, database: str, nats_url: str) -> None:
    comes_through(manifest, fault, database, nats_url)


@pytest.mark.long
def test_shopify_comes_through_the_death_of_its_servers(servers: ServerPair) -> None:
    comes_through_kills(manifest, servers.postgres, servers.nats)
