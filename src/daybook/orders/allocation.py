"""Where an order's pieces are taken from. Pure.

A rule says which locations come first: `priority`, in the order of the channel's settings; `most_stock`, those with the
most pieces; `fewest_parcels`, those that together send the whole order in the fewest parcels.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

from daybook.errors import OutOfStock
from daybook.events import Allocation, AllocationRule
from daybook.stock.state import Stock

SETS_TRIED = 2_000
"""Of locations, before those with the most pieces are taken as they come."""


def allocate(
    wanted: Mapping[str, int],
    stocks: Mapping[str, Stock],
    locations: Sequence[str],
    default_location: str,
    rule: AllocationRule = "priority",
    *,
    held_back: int = 0,
    already_sold: bool = False,
) -> tuple[Allocation, ...]:
    """Pieces of each SKU, from the locations (all when none are named): all of them, or none.

    `held_back`: pieces of each SKU that the channel leaves to others. Raises OutOfStock, unless it was `already_sold`:
    then what is held back is taken too, and what nobody has is marked as oversold, at the first location.
    """
    if not already_sold:
        for sku, quantity in wanted.items():
            there = max(0, stocks[sku].available(tuple(locations)) - held_back)
            if there < quantity:
                raise OutOfStock(
                    f"{quantity} of {sku} were ordered, and {there or 'none'} can be sold: order fewer, or wait",
                    sku=sku,
                    available=there,
                )
    found: list[Allocation] = []
    order = _order(wanted, stocks, locations, rule)
    for sku, quantity in wanted.items():
        stock = stocks[sku]
        left, taken = quantity, dict.fromkeys(order, 0)
        for pieces in (stock.unheld, stock.free) if already_sold else (stock.unheld,):
            for location in order:
                more = min(left, max(0, pieces(location) - taken[location]))
                taken[location] += more
                left -= more
        found += [Allocation(sku=sku, location=location, quantity=more) for location, more in taken.items() if more]
        if left:
            kept = [name for name in order if name in stock.locations()]
            found = _oversold(found, sku, left, (*kept, *order, default_location)[0])
    return tuple(found)


def _oversold(found: list[Allocation], sku: str, left: int, location: str) -> list[Allocation]:
    there = next((one.quantity for one in found if one.sku == sku and one.location == location), 0)
    others = [one for one in found if (one.sku, one.location) != (sku, location)]
    return [*others, Allocation(sku=sku, location=location, quantity=there + left, oversold=left)]


def _order(
    wanted: Mapping[str, int], stocks: Mapping[str, Stock], locations: Sequence[str], rule: AllocationRule
) -> tuple[str, ...]:
    """The locations in the order in which they are asked for pieces."""
    there = tuple(dict.fromkeys(locations or (name for sku in wanted for name in stocks[sku].locations())))
    if rule == "priority":
        return there if locations else tuple(sorted(there))

    def pieces(location: str) -> int:
        return sum(min(quantity, max(0, stocks[sku].unheld(location))) for sku, quantity in wanted.items())

    def plenty(location: str) -> tuple[int, int, str]:
        stock = sum(max(0, stocks[sku].unheld(location)) for sku in wanted)
        return (-pieces(location), -stock, location) if rule == "fewest_parcels" else (-stock, 0, location)

    ranked = tuple(sorted(there, key=plenty))
    if rule == "most_stock":
        return ranked
    fewest = _fewest(wanted, stocks, tuple(name for name in ranked if pieces(name)))
    return (*fewest, *(name for name in ranked if name not in fewest))


def _fewest(wanted: Mapping[str, int], stocks: Mapping[str, Stock], ranked: tuple[str, ...]) -> tuple[str, ...]:
    """The smallest set of locations that has all; the ranked ones where none has, or too many would be tried."""
    tried = 0
    for size in range(1, len(ranked) + 1):
        for chosen in combinations(ranked, size):
            tried += 1
            if tried > SETS_TRIED:
                return ranked
            if all(sum(max(0, stocks[sku].unheld(name)) for name in chosen) >= most for sku, most in wanted.items()):
                return chosen
    return ranked
