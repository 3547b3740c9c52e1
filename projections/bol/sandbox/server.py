"""A small bol.com: Offers v11 with bol's statuses, problem bodies and paging. Orders, content, tokens are next door.

Where bol's published contract is silent (an offer's stock above 999, a second offer for the same EAN and condition, a
field that can't be patched) it refuses with a violation, as v10 documents or as sellers report.
"""

import base64
import time
import uuid
from collections.abc import Iterable, Mapping

from aiohttp import web

from daybook.channel.contract import Payload
from daybook_projections.bol.sandbox.orders import OrderServer
from daybook_projections.bol.sandbox.requests import Refusal, answer, now, object_of, operation, refuse
from daybook_projections.bol.sandbox.rules import create_violations, patch_violations

PAGE_SIZE = 25
ECONOMIC_OPERATOR = "0c6573a2-a80c-48b7-a03e-d5939f1173fa"


class BolSandbox(OrderServer):
    """One account. Its rate limits are off unless `limits` has some."""

    def __init__(self, token_seconds: float = 299) -> None:
        super().__init__(token_seconds)
        self.economic_operators = {ECONOMIC_OPERATOR: "VALID"}
        """Id -> VALID, PENDING or INVALID."""
        self.not_sold: dict[str, Payload] = {}
        """EAN -> a further reason for which bol does not sell it: category, code, description, missingAttributes."""

    def settings(self) -> dict[str, str]:
        """As every account's, and that its orders are let in."""
        return super().settings() | {"orders": "true" if self.tells_orders else "false"}

    def shown(self) -> Mapping[str, Payload]:
        """Offers by reference. Two offers under one reference raise: a connector created something twice."""
        found: dict[str, Payload] = {}
        for offer in self.offers.values():
            sku = str(offer.get("reference", offer["offerId"]))
            if sku in found:
                raise AssertionError(f"two offers have the reference {sku}")
            found[sku] = {
                "title": self.title_of(offer["ean"]) or offer.get("unknownProductTitle"),
                "ean": offer["ean"],
                "price": f"{offer['pricing']['bundlePrices'][0]['unitPrice']:.2f}",
                "currency": "EUR",
                "stock": self._corrected(offer),
                "countries": [each["countryCode"] for each in offer["countryAvailabilities"]],
                "live": not self._reasons(offer),
            }
        return found

    def routes(self) -> list[web.RouteDef]:
        """The token endpoint of login.bol.com; the offers and the content of api.bol.com."""
        return [
            web.post("/token", self.token),
            web.post("/retailer/offers", self.create),
            web.get("/retailer/offers", self.list_offers),
            web.get("/retailer/offers/{id}", self.get),
            web.patch("/retailer/offers/{id}", self.patch),
            web.delete("/retailer/offers/{id}", self.delete),
            web.get("/retailer/offers/{id}/not-for-sale-reasons", self.not_for_sale_reasons),
            *self.content_routes(),
            *self.order_routes(),
        ]

    @operation("create-offer")
    async def create(self, request: web.Request) -> web.Response:
        """POST /retailer/offers."""
        body = await object_of(request)
        violations = create_violations(body) + self._operator_violations(body)
        twins = [
            o for o in self.offers.values() if (o["ean"], o["condition"]) == (body.get("ean"), body.get("condition"))
        ]
        if twins and not violations:
            violations = [("ean", "An offer for this EAN and condition already exists: " + twins[0]["offerId"])]
        refuse(violations)
        offer_id = str(uuid.uuid4())
        defaults = {
            "onHoldByRetailer": False,
            "stock": {"amount": 0, "managedByRetailer": False},
            "countryAvailabilities": [{"countryCode": "NL"}, {"countryCode": "BE"}],
        }
        self._store(defaults | body | {"offerId": offer_id})
        return answer({"offerId": offer_id}, 201)

    @operation("update-offer")
    async def patch(self, request: web.Request) -> web.Response:
        """PATCH /retailer/offers/{id}: the fields that are named; stock is merged, others are replaced."""
        offer = self._offer(request)
        body = await object_of(request)
        refuse(patch_violations(body) + self._operator_violations(body))
        if "stock" in body:
            body["stock"] = offer["stock"] | body["stock"]
        self._store(offer | body)
        return web.Response(status=204)

    @operation("delete-offer")
    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /retailer/offers/{id}."""
        del self.offers[self._offer(request)["offerId"]]
        return web.Response(status=204)

    @operation("get-offer")
    async def get(self, request: web.Request) -> web.Response:
        """GET /retailer/offers/{id}."""
        return answer(self._answered(self._offer(request)))

    @operation("get-offers")
    async def list_offers(self, request: web.Request) -> web.Response:
        """GET /retailer/offers with filters, page by page. The cursor is only for giving back."""
        query = request.query
        size = query.get("page-size", str(PAGE_SIZE))
        if not size.isdigit() or not 1 <= int(size) <= 100:
            refuse([("page-size", "Request contains invalid value(s): must be between 1 and 100.")])
        try:
            after = base64.b64decode(query.get("cursor", ""), altchars=b"-_", validate=True).decode()
        except ValueError:
            refuse([("cursor", "Request contains invalid value(s): unknown cursor.")])
        ids, eans = _several(query.getall("offer-ids", [])), _several(query.getall("eans", []))
        found = [
            offer
            for offer_id, offer in sorted(self.offers.items())
            if offer_id > after
            and (not ids or offer_id in ids)
            and (not eans or offer["ean"] in eans)
            and query.get("reference", offer.get("reference")) == offer.get("reference")
            and query.get("for-sale", str(not self._reasons(offer)).lower()) == str(not self._reasons(offer)).lower()
        ]
        page: Payload = {"pageSize": int(size)}
        if len(found) > int(size):
            page["nextCursor"] = base64.urlsafe_b64encode(found[int(size) - 1]["offerId"].encode()).decode()
        return answer({"offers": [self._answered(offer) for offer in found[: int(size)]], "page": page})

    @operation("get-not-for-sale-reasons")
    async def not_for_sale_reasons(self, request: web.Request) -> web.Response:
        """GET /retailer/offers/{id}/not-for-sale-reasons."""
        offer = self._offer(request)
        reasons = self._reasons(offer)
        countries = [each["countryCode"] for each in offer["countryAvailabilities"]] if reasons else []
        shown = [{"countryCode": code, "reasons": reasons} for code in countries]
        return answer({"offerId": offer["offerId"], "countries": shown})

    def _offer(self, request: web.Request) -> Payload:
        offer = self.offers.get(request.match_info["id"])
        if offer is None:
            raise Refusal(404, "Not Found", f"Offer with id '{request.match_info['id']}' was not found.")
        return offer

    def _operator_violations(self, body: Payload) -> list[tuple[str, str]]:
        status = self.economic_operators.get(body.get("economicOperatorId", ECONOMIC_OPERATOR))
        if "economicOperatorId" not in body or status == "VALID":
            return []
        wrong = "unknown economic operator" if status is None else f"the economic operator is {status}"
        return [("economicOperatorId", f"Request contains invalid value(s): {wrong}.")]

    def _store(self, offer: Payload) -> None:
        if self.title_of(offer["ean"]) is not None:
            offer.pop("unknownProductTitle", None)  # bol keeps it only while it does not know the product
        self.offers[offer["offerId"]] = offer | {"lastModifiedDateTime": now()}
        self.updated_at[offer["offerId"]] = time.time()

    def _corrected(self, offer: Payload) -> int:
        return max(0, int(offer["stock"]["amount"]) - self.sold_of(offer))

    def _answered(self, offer: Payload) -> Payload:
        live = not self._reasons(offer)
        stock = offer["stock"] | {"correctedStock": self._corrected(offer)}
        countries = [each | {"forSale": live} for each in offer["countryAvailabilities"]]
        return offer | {"stock": stock, "countryAvailabilities": countries}

    def _reasons(self, offer: Payload) -> list[Payload]:
        reasons = [self.not_sold[offer["ean"]]] if offer["ean"] in self.not_sold else []
        if offer["onHoldByRetailer"]:
            reasons.append({"category": "ON_HOLD", "description": "The offer is on hold by the retailer"})
        if self._corrected(offer) == 0:
            reasons.append({"category": "STOCK", "description": "The offer has no stock"})
        return reasons


def _several(values: Iterable[str]) -> set[str]:
    return {each for value in values for each in value.split(",")}
