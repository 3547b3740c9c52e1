"""bol keeps the contract of every channel."""

from daybook.channel.testing import check_channel
from daybook_projections.bol import manifest


def test_bol_keeps_the_contract_of_every_channel() -> None:
    check_channel(manifest)
