"""Given a bad day, when orders come and change, then each has what it needs once: docs/reference/faults.md."""

import pytest

from daybook_projections.sendcloud import manifest
from tests.fixtures.matrix import Fault, faults
from tests.fixtures.servers import ServerPair
from tests.fixtures.work_matrix import work_comes_through, work_comes_through_kills


@faults
def test_sendcloud_comes_through(fault: Fault | None, database: str, nats_url: str) -> None:
    work_comes_through(manifest, fault, database, nats_url)


@pytest.mark.long
def test_sendcloud_comes_through_the_death_of_its_servers(servers: ServerPair) -> None:
    work_comes_through_kills(manifest, servers.postgres, servers.nats)
