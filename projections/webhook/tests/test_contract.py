"""Every endpoint keeps the contract of every channel."""

import pytest

from daybook.channel.contract import Manifest
from daybook.channel.testing import check_channel
from daybook_projections.webhook import endpoint, manifest


@pytest.mark.parametrize("channel", [manifest, endpoint("erp")])
def test_an_endpoint_keeps_the_contract_of_every_channel(channel: Manifest) -> None:
    check_channel(channel)
