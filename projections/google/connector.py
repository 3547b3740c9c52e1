"""Brings product inputs to Google: Merchant API v1, products.

Every change is one whole insert with the position of the change as `versionNumber` (why: see `terms.py`). An insert
creates and replaces alike, and an equal number is taken again, so a lost answer needs no look-up. It is shown minutes
later; `confirm` reads the processed product.

Products expire about 30 days after their last insert. The engine brings each listing again in time (the manifest's
`refresh_seconds`), and an insert with the number that Google has already is all that it takes.

A limit: a DELETE leaves nothing behind to compare with, so an insert that was held up on the way and arrives after the
DELETE is taken. It would stay for its 30 days, or until the SKU is listed and taken off again.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from daybook.channel.calls import Answer, Calls, Unanswered
from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Outcome,
    Payload,
    Push,
    Rejected,
    Setting,
    Shown,
    Throttled,
    Waiting,
)
from daybook.channel.pacing import Rate
from daybook.errors import BadConfiguration
from daybook_projections.google.access import sign_in
from daybook_projections.google.answers import failure, is_stale, retry_seconds
from daybook_projections.google.readback import as_pushed
from daybook_projections.google.submission import verdict
from daybook_projections.google.terms import DEFAULT_FEED, FACETS, NAME, PRODUCT

CHECK_SECONDS = 1.0
"""Until the first look at the processed product. The engine doubles it each time, up to a minute."""
INSERT, DELETE, GET = "productInputs.insert", "productInputs.delete", "products.get"
"""The operations, by the methods that Google counts: each has a quota of its own."""
PER_MINUTE = 12_000.0
"""Of each operation, when no setting says otherwise. Google publishes no figure: it sets an account's quotas by the
number of its products, and tells them by the method `accounts.quotas.list` and in Merchant Center. They are made for
two updates of each product a day."""
BURST_SECONDS = 0.1
"""So much of the rate may go at once: Google asks to spread calls evenly over the minute."""
REQUIRED = ("url", "account", "data_source", "client_id", "client_secret", "refresh_token")


class _Stopped(Exception):
    """The push ends here, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


SETTINGS = (
    Setting("url", "the Merchant API: https://merchantapi.googleapis.com"),
    Setting("token_url", "https://oauth2.googleapis.com/token; without it, /token under `url`", optional=True),
    Setting("account", "the Merchant Center account's number"),
    Setting("data_source", "the number of the account's API data source"),
    Setting("client_id", "of the OAuth client, for the scope https://www.googleapis.com/auth/content"),
    Setting("client_secret", "of the same client"),
    Setting("refresh_token", "given when the account's owner agreed"),
    Setting("feed", "the channel's language and label; without it, `nl~NL`", optional=True),
    Setting("per_minute", "the account's quota of each method, where it is not 12 000", optional=True),
)


def connector(settings: Mapping[str, str]) -> "GoogleConnector":
    """From the values of `SETTINGS`. Raises BadConfiguration when `per_minute` is no number."""
    return GoogleConnector(settings, rates(settings.get("per_minute")))


def rates(per_minute: str | None = None) -> dict[str, Rate]:
    """The pace of each operation. Raises BadConfiguration when the text is no number above 0."""
    try:
        per_second = float(per_minute or PER_MINUTE) / 60
    except ValueError:
        per_second = 0.0
    if not 0 < per_second < float("inf"):
        name = f"DAYBOOK_CHANNEL_{NAME.upper()}_PER_MINUTE"
        raise BadConfiguration(f"{name} is {per_minute!r}: it must be a number above 0", field=name)
    return dict.fromkeys((INSERT, DELETE, GET), Rate(per_second, max(1.0, per_second * BURST_SECONDS)))


RATES = rates()
"""Without a setting."""


class GoogleConnector:
    """One feed of one account, through one data source."""

    def __init__(self, settings: Mapping[str, str], rates: Mapping[str, Rate] = RATES) -> None:
        self._calls = Calls(settings["url"], rates=rates)
        self.pace = self._calls.pace
        self._access = sign_in(settings)
        account = f"accounts/{settings['account']}"
        self._root = f"/products/v1/{account}"
        self._source = {"dataSource": f"{account}/dataSources/{settings['data_source']}"}
        self._feed = settings.get("feed") or str(DEFAULT_FEED)

    async def push(self, push: Push) -> Outcome:
        """Inserts the whole product, or deletes it."""
        try:
            return await (self._remove(push) if push.payload is None else self._insert(push, push.payload))
        except _Stopped as stopped:
            return stopped.outcome
        except Unanswered as unanswered:
            return unanswered.outcome()

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Reads the processed product. `submission` is the verb, the version and the product's id."""
        verb, version, remote_id = submission.split("/", 2)
        try:
            product = await self._shown(remote_id)
        except _Stopped as stopped:
            return stopped.outcome
        except Unanswered as unanswered:
            return unanswered.outcome()
        if verb == "delete":
            ended: Outcome | None = Confirmed(covers=FACETS) if product is None else None
        elif product is None:
            ended = None
        else:
            ended = verdict(product, int(version), _attributes(push.payload), remote_id)
        # A removal behind which somebody inserted, or an insert behind which somebody removed, is never seen to end.
        return ended or Accepted(submission=submission, check_after_seconds=CHECK_SECONDS, overtakable=True)

    async def read(self, push: Push) -> Shown | Throttled | ChannelUnavailable | Rejected:
        """The processed product: what buyers see, after feed rules, supplemental sources and people's hands.

        Its version decides nothing here. What is shown under a lower number than ours, or under none, was put there
        after ours had gone, and a higher one is somebody else's insert: the values tell whether it is what was brought.
        """
        try:
            product = await self._shown(push.remote_id or f"{self._feed}~{push.sku}")
        except _Stopped as stopped:
            return _unread(stopped.outcome)
        except Unanswered as unanswered:
            return _unread(unanswered.outcome())
        return Shown({PRODUCT: None if product is None else as_pushed(product, push.listing.get(PRODUCT, {}))})

    async def close(self) -> None:
        """Closes both connection pools."""
        await self._calls.close()
        await self._access.close()

    async def _insert(self, push: Push, payload: Payload) -> Outcome:
        feed = f"{payload['contentLanguage']}~{payload['feedLabel']}"
        if feed != self._feed:
            # A removal has nothing but the connector's setting to name the product by, so the two must never differ.
            return ChannelUnavailable(
                f"the listing is for the feed {feed}, the connection for {self._feed}: set "
                "DAYBOOK_CHANNEL_GOOGLE_FEED and the channel's first locale (or extra.feed_label) to the same"
            )
        remote_id = f"{feed}~{push.sku}"
        body = payload | {"versionNumber": str(push.position)}
        answer = await self._call(INSERT, "POST", "productInputs:insert", self._source, body)
        if is_stale(answer):
            outcome = await self._overtaken(push, payload, remote_id)
        elif answer.status == 200:
            outcome = Accepted(
                submission=f"insert/{push.position}/{remote_id}",
                covers=FACETS,
                remote_id=remote_id,
                check_after_seconds=CHECK_SECONDS,
            )
        else:
            raise _Stopped(failure(answer))
        if push.remote_id is not None and push.remote_id != remote_id:
            # The feed is another one now, which makes it another product to Google. The old one goes only now, so that
            # there is always one; when this fails, the next attempt does both again.
            await self._delete(push.remote_id)
        return outcome

    async def _overtaken(self, push: Push, payload: Payload, remote_id: str) -> Outcome:
        """Google has a higher version than ours: what it shows decides, once it is shown."""
        product = await self._shown(remote_id)
        ended = verdict(product, push.position, _attributes(payload), remote_id) if product is not None else None
        return ended or Waiting(
            f"Google has a newer version of {push.sku} than {push.position}, and does not show it yet"
        )

    async def _remove(self, push: Push) -> Outcome:
        remote_id = push.remote_id or f"{self._feed}~{push.sku}"
        if not await self._delete(remote_id):
            return Confirmed(covers=FACETS)
        return Accepted(
            submission=f"delete/{push.position}/{remote_id}", covers=FACETS, check_after_seconds=CHECK_SECONDS
        )

    async def _delete(self, remote_id: str) -> bool:
        """True when it was there; either way it is not there any more."""
        answer = await self._call(DELETE, "DELETE", f"productInputs/{encoded(remote_id)}", self._source)
        if answer.status not in (200, 204, 404):
            raise _Stopped(failure(answer))
        return answer.status != 404

    async def _shown(self, remote_id: str) -> Payload | None:
        """The processed product, or None when there is none."""
        answer = await self._call(GET, "GET", f"products/{encoded(remote_id)}")
        if answer.status == 404:
            return None
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise _Stopped(failure(answer))
        return answer.body

    async def _call(
        self, operation: str, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Answer:
        """One request with the token; when Google says that the token is no good, once more with a new one."""

        async def send(token: str) -> Answer:
            return await self._calls.request(
                method,
                f"{self._root}/{path}",
                query=query,
                body=body,
                headers={"Authorization": f"Bearer {token}"},
                operation=operation,
            )

        answer = await self._access.send(send)
        if answer.status == 429:
            # Google tells the time to wait in the body, where the pace does not see it by itself.
            self.pace.observe(operation, left=0, quiet_seconds=retry_seconds(answer))
        # A 404 page that is not JSON comes from a proxy or a wrong URL: it does not say that the product is gone.
        if answer.outage() is not None or (answer.status == 404 and not isinstance(answer.body, dict)):
            raise _Stopped(failure(answer))
        return answer


def encoded(remote_id: str) -> str:
    """`nl~NL~SKU-1` as the last part of a resource name: base64url without padding.

    Google takes the plain form too, but only without `/`, `%` and `~` in the SKU; it recommends this one for all.
    """
    return urlsafe_b64encode(remote_id.encode()).rstrip(b"=").decode()


def _attributes(payload: Payload | None) -> Payload:
    attributes: Payload = (payload or {}).get("productAttributes", {})
    return attributes


def _unread(outcome: Outcome) -> Throttled | ChannelUnavailable | Rejected:
    return (
        outcome if isinstance(outcome, Throttled | Rejected | ChannelUnavailable) else ChannelUnavailable(str(outcome))
    )
