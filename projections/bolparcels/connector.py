"""Tells bol of parcels and cancellations (Retailer API v10): each is taken with 202, and carried out later or not.

bol has no idempotency key. So what it has is read on every try, also on the first (a restored book counts its tries
anew): an order's items tell how many pieces it knows to be sent or cancelled, its shipments which of our parcels (their
`shipmentReference`), and the processes of an item whether a request is under way whose answer was lost. Only what is in
none of these is sent. Pieces that were told in the seller's dashboard, or with bol's label, count as told.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from daybook.channel.calls import Unanswered
from daybook.channel.contract import Accepted, Confirmed, Outcome, Payload, Push, Rejected, Setting, Waiting
from daybook.events import Rejection
from daybook_projections.bolparcels.api import Ended, ShipmentApi
from daybook_projections.bolparcels.mapping import SHIPMENTS

REFERENCE_LENGTH_MAX = 90
CHECK_SECONDS = 1.0
SHIP, CANCEL, FOLLOW = "CREATE_SHIPMENT", "CANCEL_ORDER", "CHANGE_TRANSPORT"
"""bol's own names of what is under way."""


class BolParcelsConnector:
    """One account."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._api = ShipmentApi(settings)
        self.pace = self._api.pace

    async def push(self, push: Push) -> Outcome:
        """Tells what bol lacks, one request at a time. What was told stays told."""
        return await self._bring(push, "")

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """What became of a request, and then what is still lacking."""
        own, _, about = submission.partition("/")
        try:
            status = await self._api.process(own)
        except Ended as ended:
            return ended.outcome
        except Unanswered as lost:
            return lost.outcome()
        match status.get("status") if status is not None else None:
            case "PENDING":
                return Accepted(submission=submission, check_after_seconds=CHECK_SECONDS)
            case "FAILURE":
                assert status is not None
                said = str(status.get("errorMessage") or status.get("description") or "no reason given")
                return Rejected((Rejection("FAILURE", said),))
            case "SUCCESS":
                return await self._bring(push, about)
        # bol gave it up (TIMEOUT), or has forgotten what became of it (404): what it has tells.
        return await self._bring(push, "")

    async def close(self) -> None:
        """Closes the connection pools."""
        await self._api.close()

    async def _bring(self, push: Push, done: str) -> Outcome:
        """`done`: what was carried out just now, which bol may not show yet."""
        if push.payload is None:
            return Confirmed()
        number, person = str(push.payload["number"]), push.payload.get("person")
        people = (str(person),) if person else ()
        try:
            order = await self._api.order(number, people)
            if order is None:
                return Rejected((Rejection("order_not_found", f"bol has no order {number}"),))
            items = {str(one["orderItemId"]): one for one in order["orderItems"]}
            if push.facet == SHIPMENTS:
                lacking = self._lacking(push.payload["parcels"], items)
                if lacking:
                    return await self._ship(number, push.payload["parcels"], lacking, done)
                return await self._follow(number, push.payload["parcels"], people, done)
            return await self._cancel(push.payload["items"], items, done)
        except Ended as ended:
            return ended.outcome
        except Unanswered as lost:
            return lost.outcome()

    def _lacking(self, parcels: Sequence[Payload], items: Mapping[str, Payload]) -> Counter[str]:
        """Pieces by item that left, and that bol does not know to have left."""
        left: Counter[str] = Counter()
        for one in parcels:
            left.update(one["items"])
        found = Counter(
            {item: n - (items[item]["quantityShipped"] if item in items else 0) for item, n in left.items()}
        )
        for item, pieces in (+found).items():
            if pieces > (_open(items[item]) if item in items else 0):
                message = f"bol has not so many pieces of item {item} open: {pieces} left, which were cancelled there"
                raise Ended(Rejected((Rejection("not_open", message, "orderItems"),)))
        return +found

    async def _ship(self, number: str, parcels: Sequence[Payload], lacking: Counter[str], done: str) -> Outcome:
        for item in lacking:
            if (own := await self._api.pending(item, SHIP)) is not None:
                return _accepted(own, "")
        known = {str(one.get("shipmentReference")) for one in await self._api.shipments(number)} | {done}
        for parcel in parcels:
            pieces = {item: min(n, lacking[item]) for item, n in parcel["items"].items() if lacking[item] > 0}
            if _reference(parcel) in known or not pieces:
                continue
            transport = {"transporterCode": parcel["transporter"]}
            if parcel["tracking"]:
                transport["trackAndTrace"] = parcel["tracking"]
            body: Payload = {
                "orderItems": [{"orderItemId": item, "quantity": n} for item, n in pieces.items()],
                "shipmentReference": _reference(parcel),
                "transport": transport,
            }
            own = await self._api.start("POST", "/retailer/shipments", "create-shipment", body)
            return _accepted(own, _reference(parcel))
        return Waiting("bol has the shipments, and does not count their pieces as sent yet")

    async def _follow(self, number: str, parcels: Sequence[Payload], people: tuple[str, ...], done: str) -> Outcome:
        """Adds the number of a parcel that was told without it."""
        wanted = {_reference(one): one for one in parcels if one["tracking"]}
        for one in await self._api.shipments(number) if wanted else ():
            parcel, transport = wanted.get(str(one.get("shipmentReference"))), str(one["transport"]["transportId"])
            if parcel is None or transport == done:
                continue
            shown = await self._api.shipment(str(one["shipmentId"]), people)
            if shown.get("transport", {}).get("trackAndTrace"):
                continue
            if (own := await self._api.pending(transport, FOLLOW)) is not None:
                return _accepted(own, transport)
            path = f"/retailer/transports/{quote(transport, safe='')}"
            body = {"transporterCode": parcel["transporter"], "trackAndTrace": parcel["tracking"]}
            own = await self._api.start("PUT", path, "add-transport-information-by-transport-id", body)
            return _accepted(own, transport)
        return Confirmed()

    async def _cancel(self, wanted: Payload, items: Mapping[str, Payload], done: str) -> Outcome:
        for item, said in wanted.items():
            there = items.get(item)
            if there is None or not _open(there) or item == done:
                continue
            if _open(there) > said["pieces"] - there["quantityCancelled"]:
                return Waiting(f"bol is not told yet of all that left of item {item}: a cancellation would take it too")
            if (own := await self._api.pending(item, CANCEL)) is not None:
                return _accepted(own, item)
            reason = "REQUESTED_BY_CUSTOMER" if there.get("cancellationRequest") else said["reason"]
            body: Payload = {"orderItems": [{"orderItemId": item, "reasonCode": reason}]}
            own = await self._api.start("PUT", "/retailer/orders/cancellation", "cancel-order-item", body)
            return _accepted(own, item)
        return Confirmed()


def _accepted(own: str, about: str) -> Accepted:
    return Accepted(submission=f"{own}/{about}", check_after_seconds=CHECK_SECONDS)


def _reference(parcel: Payload) -> str:
    return str(parcel["parcel"])[:REFERENCE_LENGTH_MAX]


def _open(item: Payload) -> int:
    return int(item["quantity"]) - int(item["quantityShipped"]) - int(item["quantityCancelled"])


SETTINGS = (
    Setting("url", "bol's API: https://api.bol.com"),
    Setting("login_url", "where tokens come from: https://login.bol.com; without it, `url`", optional=True),
    Setting("client_id", "of the API credentials that bol's seller dashboard makes"),
    Setting("client_secret", "of the same credentials"),
)


def connector(settings: Mapping[str, str]) -> BolParcelsConnector:
    """From the values of `SETTINGS`."""
    return BolParcelsConnector(settings)
