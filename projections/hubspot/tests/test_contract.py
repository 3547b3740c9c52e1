"""hubspot keeps the contract of every work."""

from daybook.channel.testing import check_work
from daybook.events import PersonChanged
from daybook_projections.hubspot import manifest
from projections.hubspot.tests.desk import ADA, PERSON, history, paid, placed


def test_hubspot_keeps_the_contract_of_every_work() -> None:
    changed = PersonChanged(person=PERSON, fields=("name",), revision="r2")
    told = history().happened(placed("webshop:1002", None), paid(), changed)
    check_work(manifest, told, {PERSON: ADA})
