"""A plain caller of the Merchant API, for the sandbox's tests."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import Payload
from daybook_projections.google.sandbox.server import GoogleSandbox

ROOT = "/products/v1/accounts/123"
SOURCE = {"dataSource": "accounts/123/dataSources/456"}
PRICE = {"amountMicros": "19990000", "currencyCode": "EUR"}
DEARER = {"amountMicros": "24500000", "currencyCode": "EUR"}
ATTRIBUTES: Payload = {
    "title": "Koffer",
    "description": "Een koffer.",
    "link": "https://shop.example.com/p/S1",
    "imageLink": "https://img.example.com/1.jpg",
    "availability": "IN_STOCK",
    "price": PRICE,
    "gtins": ["4015211100803"],
}
INPUT: Payload = {"offerId": "S1", "contentLanguage": "nl", "feedLabel": "NL", "productAttributes": ATTRIBUTES}


def name(text: str = "nl~NL~S1") -> str:
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


class Client:
    """A plain caller of the API with a valid token, or with what `headers` say."""

    def __init__(self, sandbox: GoogleSandbox, now: list[float]) -> None:
        self.sandbox, self.now = sandbox, now
        self.calls = Calls(sandbox.url)
        self.token = ""

    async def login(self, **changed: str) -> Answer:
        form = {
            "grant_type": "refresh_token",
            "client_id": "sandbox",
            "client_secret": "sandbox-secret",
            "refresh_token": "1//sandbox-refresh",
        }
        answer = await self.calls.request("POST", "/token", form=form | changed)
        self.token = answer.body.get("access_token", "")
        return answer

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        bearer = {"Authorization": f"Bearer {self.token}"}
        return await self.calls.request(method, path, body=body, query=query, headers=bearer | dict(headers or {}))

    async def insert(self, version: int | None = None, **changed: Any) -> Answer:
        body = INPUT | changed | ({} if version is None else {"versionNumber": str(version)})
        return await self("POST", f"{ROOT}/productInputs:insert", body, SOURCE)

    async def patch(self, attributes: Payload, mask: str | None = None, at: str | None = None, **more: Any) -> Answer:
        query = SOURCE | ({} if mask is None else {"updateMask": mask})
        body = {"productAttributes": attributes} | more
        return await self("PATCH", f"{ROOT}/productInputs/{at or name()}", body, query)

    async def delete(self, at: str | None = None) -> Answer:
        return await self("DELETE", f"{ROOT}/productInputs/{at or name()}", query=SOURCE)

    async def get(self, at: str | None = None) -> Answer:
        return await self("GET", f"{ROOT}/products/{at or name()}")

    async def issues(self) -> list[tuple[str, str]]:
        status = (await self.get()).body["productStatus"]
        return [(each["code"], each["severity"]) for each in status.get("itemLevelIssues", ())]


def on_google(scenario: Callable[[Client], Awaitable[None]], delay_seconds: float = 0, **options: Any) -> None:
    async def run() -> None:
        now = [1_800_000_000.0]
        sandbox = GoogleSandbox(delay_seconds=delay_seconds, clock=lambda: now[0], **options)
        await sandbox.start()
        client = Client(sandbox, now)
        try:
            await client.login()
            await scenario(client)
        finally:
            await client.calls.close()
            await sandbox.stop()

    asyncio.run(run())


def refused(answer: Answer, code: int, status: str) -> str | None:
    """The field that the error names."""
    assert answer.status == code, answer.text
    error = answer.body["error"]
    assert (error["code"], error["status"]) == (code, status)
    assert error["message"]
    for detail in error.get("details", ()):
        if detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo":
            return detail["metadata"].get("FIELD_LOCATION")  # type: ignore[no-any-return]
    return None
