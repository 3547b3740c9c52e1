"""A system that sends commands gets a user on a server that runs, and keeps it when the server starts again."""

from pathlib import Path

import nats
import pytest

from daybook.embedded import nats_senders
from daybook.embedded.nats import NatsServer
from daybook.errors import NotFound
from daybook.stream.permissions import sender

pytestmark = pytest.mark.long


async def test_a_sender_is_let_in_at_once_and_again_after_a_start_and_no_connection_ends(data_folder: Path) -> None:
    name, permitted = sender("erp")
    with NatsServer.start(data_folder) as server:
        owner = await nats.connect(server.url)
        address, running = nats_senders.add(data_folder, name, permitted.of(name))
        assert running
        first = await nats.connect(address, max_reconnect_attempts=20, reconnect_time_wait=0.1)
        await first.close()
        assert nats_senders.add(data_folder, name, permitted.of(name)) == (address, True), "the same one again"
        assert owner.is_connected and owner.stats["reconnects"] == 0
        await owner.close()

    with NatsServer.start(data_folder):
        again = await nats.connect(address)
        await again.close()


def test_a_folder_without_a_server_is_told(data_folder: Path) -> None:
    with pytest.raises(NotFound, match="daybook up"):
        nats_senders.add(data_folder, "in-erp", {})
