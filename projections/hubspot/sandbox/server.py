"""A CRM that speaks HubSpot's API v3, with what is odd about it.

There are properties of one's own only after they were made. A conflict names the other contact in a sentence. A batch
of which a part is refused is answered 207. The search sees an object only once `search_lag` others came after it.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer
from daybook_projections.hubspot.sandbox.shop import Clash, Portal, Thing

MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]+\Z")
STAGES = {"contractsent", "closedwon", "closedlost", "appointmentscheduled"}


class HubSpotSandbox(SandboxServer):
    """One portal. `shown` tells its deals by order, and its contacts by person; these are never live by themselves."""

    def __init__(self) -> None:
        super().__init__()
        self._token = f"pat-{secrets.token_hex(12)}"
        self.portal = Portal()
        self.search_lag = 5
        self.daily_limit_reached = False

    def settings(self) -> dict[str, str]:
        return {"url": self.url, "token": self._token}

    def shown(self) -> Mapping[str, Payload]:
        shown: dict[str, Payload] = {}
        for one in self.portal.things["deals"].values():
            order = one.properties.get("daybook_order", one.id)
            if order in shown:
                raise AssertionError(f"{order} has two deals")
            customers = [contact for deal, contact in self.portal.associations if deal == one.id]
            shown[order] = {
                "title": one.properties["dealname"],
                "price": one.properties["amount"],
                "stock": len(customers),
                "stage": one.properties["dealstage"],
                "live": True,
            }
        for one in self.portal.things["contacts"].values():
            shown[one.properties.get("daybook_person") or one.id] = {"title": one.properties["email"], "live": False}
        return shown

    def throttled(self) -> web.Response:
        said = {"message": "You have reached your secondly limit.", "policyName": "TEN_SECONDLY_ROLLING"}
        return _error(429, "RATE_LIMITS", said["message"], policyName=said["policyName"])

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/crm/v3/objects/contacts/gdpr-delete", self._forget),
            web.post("/crm/v3/objects/{kind}/batch/upsert", self._upsert),
            web.post("/crm/v3/objects/{kind}/search", self._search),
            web.get("/crm/v3/objects/{kind}/{id}", self._get),
            web.patch("/crm/v3/objects/{kind}/{id}", self._patch),
            web.delete("/crm/v3/objects/{kind}/{id}", self._delete),
            web.post("/crm/v3/properties/{kind}", self._property),
            web.put("/crm/v4/objects/deals/{deal}/associations/default/contacts/{contact}", self._associate),
        ]

    async def _upsert(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        kind, inputs = request.match_info["kind"], (await request.json())["inputs"]
        results, errors = [], []
        for one in inputs:
            if one["idProperty"] not in self.portal.unique[kind]:
                return _unknown(one["idProperty"])
            if (wrong := _wrong(kind, one["properties"])) is not None:
                errors.append(wrong)
                continue
            try:
                made, new = self.portal.upsert(kind, one["idProperty"], one["id"], one["properties"])
            except Clash as clash:
                return _error(409, "CONFLICT", f"Contact already exists. Existing ID: {clash.existing}")
            results.append({**_told(made), "new": new, "objectWriteTraceId": one.get("objectWriteTraceId")})
        body: dict[str, Any] = {"status": "COMPLETE", "results": results}
        if errors:
            return web.json_response(body | {"numErrors": len(errors), "errors": errors}, status=207)
        return web.json_response(body)

    async def _get(self, request: web.Request) -> web.Response:
        there = self._named(request)
        return there if isinstance(there, web.Response) else web.json_response(_told(there))

    async def _patch(self, request: web.Request) -> web.Response:
        there = self._named(request)
        if isinstance(there, web.Response):
            return there
        properties, kind = (await request.json())["properties"], request.match_info["kind"]
        if (wrong := _wrong(kind, properties)) is not None:
            return _error(400, "VALIDATION_ERROR", "Property values were not valid", errors=[wrong])
        try:
            self.portal.change(kind, there, properties)
        except Clash as clash:
            return _error(409, "CONFLICT", f"Contact already exists. Existing ID: {clash.existing}")
        return web.json_response(_told(there))

    async def _delete(self, request: web.Request) -> web.Response:
        there = self._named(request)
        if not isinstance(there, web.Response):
            self.portal.remove(request.match_info["kind"], there)
        elif there.status != 404:
            return there
        return web.Response(status=204)  # also for what was never there

    async def _forget(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        by = body.get("idProperty")
        if by is not None and by not in self.portal.unique["contacts"]:
            return _unknown(by)
        there = self.portal.find("contacts", by, body["objectId"])
        if there is None:
            return _error(404, "OBJECT_NOT_FOUND", "The contact does not exist")
        self.portal.remove("contacts", there)
        return web.Response(status=204)

    async def _search(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        wanted = (await request.json())["filterGroups"][0]["filters"][0]
        seen = list(self.portal.things[request.match_info["kind"]].values())[: -self.search_lag or None]
        found = [one for one in seen if one.properties.get(wanted["propertyName"]) == wanted["value"]]
        return web.json_response({"total": len(found), "results": [_told(one) for one in found]})

    async def _property(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body, kind = await request.json(), request.match_info["kind"]
        if body["name"] in self.portal.unique[kind]:
            return _error(409, "OBJECT_ALREADY_EXISTS", f"A property named '{body['name']}' already exists.")
        if body.get("hasUniqueValue") is True:
            self.portal.unique[kind].add(body["name"])
        return web.json_response(body, status=201)

    async def _associate(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        deal, contact = request.match_info["deal"], request.match_info["contact"]
        if not (self.portal.find("deals", None, deal) and self.portal.find("contacts", None, contact)):
            return _error(404, "OBJECT_NOT_FOUND", "One of the objects does not exist")
        self.portal.associations.add((deal, contact))
        return web.json_response({"status": "COMPLETE"})

    def _named(self, request: web.Request) -> Thing | web.Response:
        """The object that an address names, or why there is none."""
        if (refusal := self._refusal(request)) is not None:
            return refusal
        kind, by = request.match_info["kind"], request.query.get("idProperty")
        if by is not None and by not in self.portal.unique[kind]:
            return _unknown(by)
        there = self.portal.find(kind, by, request.match_info["id"])
        return there or _error(404, "OBJECT_NOT_FOUND", "Object not found")

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return _error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found")
        if self.daily_limit_reached:
            return _error(429, "RATE_LIMITS", "You have reached your daily limit.", policyName="DAILY")
        return None


def _told(one: Thing) -> dict[str, Any]:
    return {"id": one.id, "properties": one.properties}


def _wrong(kind: str, properties: Mapping[str, str]) -> dict[str, Any] | None:
    if kind == "contacts" and not MAIL.match(properties.get("email", "a@b.c")):
        return {"code": "INVALID_EMAIL", "message": f"Email address {properties['email']} is invalid", "in": "email"}
    if kind == "deals" and properties.get("dealstage") not in STAGES:
        said = f"{properties.get('dealstage')} was not one of the allowed options"
        return {"code": "INVALID_OPTION", "message": said, "in": "dealstage"}
    if not all(isinstance(value, str) for value in properties.values()):
        return {"code": "INVALID_TYPE", "message": "All values are texts", "in": None}
    return None


def _unknown(name: str) -> web.Response:
    message = f'Property "{name}" does not exist'
    errors = [{"code": "PROPERTY_DOESNT_EXIST", "message": message, "in": name}]
    return _error(400, "VALIDATION_ERROR", message, errors=errors)


def _error(status: int, category: str, message: str, **more: Any) -> web.Response:
    said = {"status": "error", "message": message, "category": category, "correlationId": secrets.token_hex(8)}
    return web.json_response(said | more, status=status)
