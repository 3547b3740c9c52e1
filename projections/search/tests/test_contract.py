"""The search keeps the contract of every projection."""

from daybook.channel.testing import check_channel
from daybook_projections.search import manifest


def test_the_search_keeps_the_contract_of_every_projection() -> None:
    check_channel(manifest)
