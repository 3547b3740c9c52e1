"""Announces an order's parcel at Sendcloud, and takes it back: one label for the same inputs, however often asked.

`external_reference_id` is unique in an account. A repeated announcement is answered 409 with the shipment that has it,
which is then taken for what was wanted. One that was cancelled or failed keeps its reference for ever, so the next one
for the same inputs has a number behind it.

Hazard: 201 means that the shipment was taken, not that there is a label. The carrier's refusal is in `errors` of the
same answer. And 202 to a cancellation means that it was asked for: up to 14 days later it is decided.
"""

from collections.abc import Mapping

from daybook.channel.calls import Unanswered
from daybook.channel.contract import (
    Accepted,
    Confirmed,
    Outcome,
    Payload,
    Push,
    Rejected,
    Setting,
    Waiting,
)
from daybook.channel.personal import VaultReader
from daybook.errors import BadConfiguration
from daybook.events import ParcelAnnounced, ParcelCancelled, Rejection
from daybook_projections.sendcloud.api import Api, errors_of, failure, reasons
from daybook_projections.sendcloud.bodies import announcement, lacking
from daybook_projections.sendcloud.listing import NAME
from daybook_projections.sendcloud.shipment import ANNOUNCING, Shipment

ANNOUNCE, CANCEL = "announce", "cancel"
TRIES_MAX = 9
"""Shipments of the same inputs, all but the last of them cancelled or failed."""
CHECK_SECONDS = 900.0
"""How often it is asked whether a cancellation was decided."""


class SendcloudConnector:
    """One account. A push costs one request, a change of what was announced two or three more."""

    def __init__(self, api: Api, check_seconds: float = CHECK_SECONDS) -> None:
        self._api = api
        self._vault = VaultReader()
        self._check_seconds = check_seconds
        self.pace = api.pace

    async def push(self, push: Push) -> Outcome:
        """Announces what is wanted, after what was announced before is cancelled; or cancels it."""
        try:
            if push.payload is None:
                return await self._withdraw(push)
            if "left" in push.payload:
                return Confirmed()  # it was done, and is not to be touched any more
            before: tuple[ParcelCancelled, ...] = ()
            if push.remote_id is not None:
                known = await self._know(push.remote_id)
                if isinstance(known, Shipment) and _is_for(known, push) and not known.gone:
                    return self._made(push, push.payload, known)
                if not isinstance(known, Shipment | None):
                    return known
                ended = await self._end(push, known)
                if not isinstance(ended, tuple):
                    return ended
                before = ended
            return await self._announce(push, push.payload, before)
        except Unanswered as lost:
            return lost.outcome()

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Whether an announcement has its label, or a cancellation was decided."""
        what, _, shipment = submission.partition(":")
        try:
            known = await self._know(shipment)
        except Unanswered as lost:
            return lost.outcome()
        if not isinstance(known, Shipment | None):
            return known
        if what == CANCEL:
            return self._cancelled(push, shipment, known)
        if known is None or push.payload is None:
            return Rejected((Rejection("gone", f"Sendcloud has no shipment {shipment}"),))
        return self._made(push, push.payload, known)

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._api.close()

    async def _announce(self, push: Push, payload: Payload, before: tuple[ParcelCancelled, ...]) -> Outcome:
        person = await self._vault.find(payload["person"])
        if person is None:
            why = "who ordered was erased: nobody knows where to send it. Cancel the order's open pieces"
            return Rejected((Rejection("person_unknown", why, "person"),))
        if missing := lacking(person):
            return Rejected(tuple(Rejection("required", f"the person's {name} is not known", name) for name in missing))
        for number in range(1, TRIES_MAX + 1):
            body = announcement(payload, person, f"{push.idempotency_key}-{number}")
            answer = await self._api.post("/shipments/announce", body, people=(payload["person"],))
            found = Shipment.parse(answer.body)
            if answer.status == 201 and found is not None:
                refused = reasons(errors_of(answer.body))
                return Rejected(refused, before) if refused else self._made(push, payload, found, before)
            if answer.status != 409 or found is None:
                return failure(answer)
            if not found.gone:
                return self._made(push, payload, found, before)
        why = f"{TRIES_MAX} shipments of the same parcel were cancelled or failed: look into Sendcloud"
        return Rejected((Rejection("too_many_tries", why),))

    def _made(self, push: Push, payload: Payload, found: Shipment, before: tuple[ParcelCancelled, ...] = ()) -> Outcome:
        """What a shipment is that has the right reference."""
        if found.status in ANNOUNCING:
            return Accepted(submission=f"{ANNOUNCE}:{found.id}", remote_id=found.id, findings=before)
        if found.gone:
            return Rejected((Rejection("announcement_failed", "the carrier gave no label for it"),), before)
        announced = ParcelAnnounced(
            shipper=NAME,
            order=push.sku,
            parcel=found.parcel,
            pieces={one["line"]: one["quantity"] for one in payload["items"]},
            carrier=found.carrier,
            tracking=found.tracking,
        )
        return Confirmed(remote_id=found.id, findings=(*before, announced))

    async def _withdraw(self, push: Push) -> Outcome:
        """Cancels what was announced; also what no receipt tells of, as its answer may have been lost."""
        shipments = [push.remote_id] if push.remote_id is not None else []
        if not shipments and push.attempt > 1:
            answer = await self._api.get("/shipments", {"order_number": push.sku, "page_size": "100"})
            if answer.status != 200:
                return failure(answer)
            there = [Shipment.of(one) for one in (answer.body or {}).get("data") or ()]
            shipments = [one.id for one in there if one is not None and not one.gone]
        findings: list[ParcelCancelled] = []
        for shipment in shipments:
            known = await self._know(shipment)
            if not isinstance(known, Shipment | None):
                return known
            ended = await self._end(push, known, final=True)
            if not isinstance(ended, tuple):
                return ended
            findings += ended
        return Confirmed(findings=tuple(findings))

    async def _know(self, shipment: str) -> Shipment | Outcome | None:
        """The shipment; None when there is none."""
        answer = await self._api.get(f"/shipments/{shipment}")
        if answer.status == 404:
            return None
        found = Shipment.parse(answer.body)
        return found if answer.status == 200 and found is not None else failure(answer)

    async def _end(
        self, push: Push, known: Shipment | None, *, final: bool = False
    ) -> tuple[ParcelCancelled, ...] | Outcome:
        """Cancels a shipment; what is told of it once it is, or why it is not. `final`: nothing comes instead."""
        if known is None:
            return ()
        told = (ParcelCancelled(shipper=NAME, order=push.sku, parcel=known.parcel),)
        if known.failed:
            return ()
        if known.gone:
            return told
        answer = await self._api.post(f"/shipments/{known.id}/cancel")
        if answer.status == 200 or answer.status == 404:
            return told
        queued = answer.status == 202 or (answer.status == 409 and not known.moving and _asked_for(answer.body))
        if queued and final:
            return Accepted(submission=f"{CANCEL}:{known.id}", check_after_seconds=self._check_seconds)
        if queued:
            return Waiting("the label that was made before is being cancelled; the carrier decides on it")
        return failure(answer)

    def _cancelled(self, push: Push, shipment: str, known: Shipment | None) -> Outcome:
        """What became of a cancellation that was asked for."""
        if known is None:
            return Confirmed()
        if known.gone:
            told = ParcelCancelled(shipper=NAME, order=push.sku, parcel=known.parcel)
            return Confirmed(findings=(told,))
        if known.moving:
            why = "the parcel is on its way and can't be taken back: have it returned"
            return Rejected((Rejection("cancel_refused", why),))
        return Accepted(submission=f"{CANCEL}:{shipment}", check_after_seconds=self._check_seconds)


def _is_for(known: Shipment, push: Push) -> bool:
    return known.reference.rpartition("-")[0] == push.idempotency_key


def _asked_for(body: object) -> bool:
    """Whether a refusal says that the cancellation is under way already."""
    return any(one.get("code") == "cancellation_in_progress" for one in errors_of(body) if isinstance(one, dict))


SETTINGS = (
    Setting("url", "the address of Sendcloud's API v3, https://panel.sendcloud.sc/api/v3"),
    Setting("public_key", "of the integration, made in Sendcloud under Settings > Integrations"),
    Setting("secret_key", "made with it"),
    Setting("check_seconds", "how often it is asked whether a cancellation was decided, where not 900", optional=True),
)


def connector(settings: Mapping[str, str]) -> SendcloudConnector:
    """From the values of `SETTINGS`. Raises BadConfiguration when `check_seconds` is no number."""
    given = settings.get("check_seconds", "")
    try:
        seconds = float(given) if given else CHECK_SECONDS
    except ValueError:
        variable = f"DAYBOOK_CHANNEL_{NAME.upper()}_CHECK_SECONDS"
        raise BadConfiguration(f"{variable} is {given!r}; it must be a number of seconds", field=variable) from None
    return SendcloudConnector(Api(settings["url"], settings["public_key"], settings["secret_key"]), seconds)
