"""template keeps the contract of every channel."""

from daybook.channel.testing import check_channel
from daybook_projections.template import manifest


def test_template_keeps_the_contract_of_every_channel() -> None:
    check_channel(manifest)
