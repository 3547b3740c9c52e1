"""Amazon keeps the contract that every channel keeps."""

from daybook.channel.testing import check_channel
from daybook_projections.amazon import manifest


def test_amazon_keeps_the_channel_contract() -> None:
    check_channel(manifest)
