"""The webshop keeps the contract that every channel keeps."""

from daybook.channel.testing import check_channel
from daybook_projections.webshop import manifest


def test_the_webshop_keeps_the_channel_contract() -> None:
    check_channel(manifest)
