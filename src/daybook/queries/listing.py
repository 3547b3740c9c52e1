"""What a channel should have shown at a moment: the channel's own fold and rendering, fed with the past."""

from typing import Any

from daybook.channel.contract import Held, Manifest, Payload
from daybook.log.reader import Reader
from daybook.queries.groups import key_of_subject
from daybook.queries.moment import Moment

Listing = dict[tuple[str, str], Payload | Held]
"""(SKU, facet) -> what the channel should show, or why it can't."""


def listing_at(reader: Reader, manifest: Manifest, sku: str, moment: Moment) -> Listing:
    """The listing of the SKU's whole product group on the channel; empty when it is not sold there.

    It is the same fold and render that run live, on the catalogue's settings of that moment, so it says what today's
    code of the channel makes of that past. `sku` may be any of the group, or the order that a work is about. Raises
    InvalidValue and NotFound. Three indexed statements.
    """
    state: Any = None
    for one in reader.of_key(key_of_subject(reader, sku, manifest.reads.keys), upto=moment.position):
        if manifest.reads.folds(one):
            state = manifest.fold(state, one)
    if state is None:
        return {}
    return dict(manifest.render(state, reader.reference(moment.position)))
