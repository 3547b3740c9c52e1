"""What differs between two moments of a product."""

from daybook.errors import NotFound
from daybook.log.reader import Reader
from daybook.queries.fields import FieldChange, differences, effective
from daybook.queries.groups import fold, key_of
from daybook.queries.moment import Moment


def diff(reader: Reader, sku: str, from_moment: Moment, to_moment: Moment) -> list[FieldChange]:
    """The fields, inherited ones included, that differ from one moment to the other, in a stable order.

    At a moment before its creation a product has no field. The moments may be given in either order: the changes then
    read backwards. Raises NotFound when it existed at neither. Two indexed statements.
    """
    last = max(from_moment.position, to_moment.position)
    events = reader.of_key(key_of(reader, sku), upto=last)
    states = []
    for moment in (from_moment, to_moment):
        group = fold(one for one in events if one.position <= moment.position)
        states.append(effective(group, sku))
    if not any(states):
        raise NotFound(f"product {sku} did not exist yet at position {last}: it came later", sku=sku)
    return differences(*states)
