"""What a SKU's lane sends next, and why the rest waits: the rules, without any call.

The lane works by them and a preview tells by them, so the two can't come apart. Given are the SKU's rows in the
manifest's order and the results so far, in the order in which they came.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

import msgspec

from daybook.channel.contract import Accepted, Confirmed, Manifest, Payload, Rejected, StockRule
from daybook.delivery.lane_results import LaneRow, Result

Way = Literal["request", "with_creation", "with_removal", "waits", "accepted", "nothing"]


class Look(msgspec.Struct, frozen=True):
    """Ask after a submission, which is about these rows."""

    rows: tuple[LaneRow, ...]


class Send(msgspec.Struct, frozen=True):
    """Bring this row."""

    row: LaneRow


def next_step(manifest: Manifest, rows: Sequence[LaneRow], so_far: Sequence[Result]) -> Look | Send | None:
    """What the SKU needs next; None when nothing of it can go on before something changes.

    Submissions are asked after first: what comes next may depend on them. Then the facets go in the order of sending,
    until one comes to anything but a success that later ones may build on.
    """
    if any(_ends(manifest, one) for one in so_far):
        return None
    looked = {one.row.submission for one in so_far if one.looked}
    for submission, same in groupby(_submitted(rows), key=lambda row: row.submission):
        if submission not in looked:
            return Look(tuple(same))
    if _nothing_to_build_on(rows):
        return None
    for row in _in_sending_order(manifest, rows):
        if _is_left(row, so_far) and _obstacle(manifest, row, rows, so_far) is None:
            return Send(row)
    return None


def why_not(
    manifest: Manifest, row: LaneRow, rows: Sequence[LaneRow], so_far: Sequence[Result]
) -> tuple[Way, str | None]:
    """Why a row that is due or accepted was not sent when the SKU's work ended with these results."""
    if row.state == "accepted":
        return "accepted", "the channel works on it"
    if row.facet in _covered(so_far):
        return "with_creation", None
    if _goes_with_listing(row, rows):
        return "with_removal", None
    if _nothing_to_build_on(rows):
        return "waits", f"the channel rejected the {rows[0].facet}, so there is no listing"
    ended = next((one for one in so_far if _ends(manifest, one)), None)
    if ended is not None:
        works = ", on which the channel works" if isinstance(ended.outcome, Accepted) else ""
        return "waits", f"for the {ended.row.facet}{works}"
    return "waits", _obstacle(manifest, row, rows, so_far) or f"for other products of the group {row.key}"


def blocked(rows: Sequence[LaneRow]) -> bool:
    """Whether something is due on a listing that the channel has rejected, so that it can't ever be sent as it is."""
    return _nothing_to_build_on(rows) and any(row.state == "due" for row in rows)


def _in_sending_order(manifest: Manifest, rows: Sequence[LaneRow]) -> list[LaneRow]:
    """The SKU's rows as they are to be sent: what holds nothing back goes last."""
    return sorted(in_order(manifest.stock, rows), key=lambda row: row.facet in manifest.last_facets)


def _submitted(rows: Sequence[LaneRow]) -> list[LaneRow]:
    return [row for row in rows if row.state == "accepted" and row.submission is not None]


def _is_left(row: LaneRow, so_far: Sequence[Result]) -> bool:
    """Whether the row still has to be brought, as far as it alone goes."""
    pushed = {one.row.facet for one in so_far if not one.looked}
    if row.state in ("confirmed", "rejected") or row.facet in pushed or row.facet in _covered(so_far):
        return False
    overdue = {facet for one in so_far if one.overdue for facet, _, _ in one.facets}
    return row.state != "accepted" or row.submission is None or row.facet in overdue


def _covered(so_far: Sequence[Result]) -> set[str]:
    return {
        facet for one in so_far if not one.looked and isinstance(one.outcome, Confirmed) for facet in one.outcome.covers
    }


def _obstacle(manifest: Manifest, row: LaneRow, rows: Sequence[LaneRow], so_far: Sequence[Result]) -> str | None:
    """Why this row is not to be sent although nothing has ended the SKU's work."""
    if _goes_with_listing(row, rows):
        return "the whole listing goes"
    if _waits_for_price(manifest.stock, row, rows, so_far):
        return "for a price that the channel takes: more would be sold at the old one"
    return None


def _goes_with_listing(row: LaneRow, rows: Sequence[LaneRow]) -> bool:
    """Whether the creating facet's removal covers this row's."""
    first = rows[0]
    return row.payload is None and row.rank > 0 and first.rank == 0 and first.payload is None and first.state == "due"


def _nothing_to_build_on(rows: Sequence[LaneRow]) -> bool:
    """Whether there is no listing, and there will be none before a newer state or a person says so."""
    return any(row.rank == 0 and row.state == "rejected" and row.acknowledged is None for row in rows)


def _ends(manifest: Manifest, one: Result) -> bool:
    """Whether the SKU's work ends with this result: what comes next may depend on it."""
    if isinstance(one.outcome, Confirmed) or one.overdue:
        return False
    if isinstance(one.outcome, Rejected) and one.row.rank > 0 and not one.looked:
        return False
    # A facet whose check takes long holds nothing back.
    facets = [facet for facet, _, _ in one.facets] if one.looked else [one.row.facet]
    beside = isinstance(one.outcome, Accepted | Rejected) and all(facet in manifest.last_facets for facet in facets)
    return not beside


def _waits_for_price(stock: StockRule | None, row: LaneRow, rows: Sequence[LaneRow], so_far: Sequence[Result]) -> bool:
    """Whether this is more stock at a price that the channel has just refused: it would sell at the old one."""
    if stock is None or row.facet != stock.facet or row.acknowledged is None or rises(stock, row) is not True:
        return False
    refused = {one.row.facet for one in so_far if isinstance(one.outcome, Rejected)}
    return any(other.facet == stock.price and (other.state == "rejected" or other.facet in refused) for other in rows)


def rises(stock: StockRule, row: LaneRow) -> bool | None:
    """Whether the row asks for more pieces than the channel shows; None when neither more nor fewer are known."""
    wanted = stock.amount(decoded(row.payload)) if row.payload is not None else 0
    if row.shown_body is None:
        return False if wanted == 0 else None
    return wanted > stock.amount(decoded(row.shown_body))


def in_order(stock: StockRule | None, rows: Sequence[LaneRow]) -> list[LaneRow]:
    """A SKU's facets in the order of sending: the manifest's, but for a listing that is there fewer pieces go first,
    and before more pieces goes the price at which they are to be sold."""
    if stock is None or any(row.rank == 0 and (row.acknowledged is None or row.payload is None) for row in rows):
        return list(rows)
    mine = next((row for row in rows if row.facet == stock.facet and row.state == "due"), None)
    if mine is None:
        return list(rows)
    if rises(stock, mine) is False:
        return [mine, *(row for row in rows if row is not mine)]
    price = [row for row in rows if row.facet == stock.price]
    return [*price, *(row for row in rows if row is not mine and row not in price), mine]


def decoded(body: str | None) -> Payload:
    """A payload as it is kept; an empty one where there is none."""
    payload: Payload = msgspec.json.decode(body or "{}")
    return payload
