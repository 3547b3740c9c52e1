"""What the demo does, chapter by chapter. Each returns what happened and adds its claims; printing is elsewhere."""

from datetime import datetime
from decimal import Decimal

import msgspec

from daybook.app import App
from daybook.commands import ChangePrice
from daybook.demo import catalogue
from daybook.demo.claims import Claims, until
from daybook.demo.marketplaces import Marketplaces
from daybook.demo.trace import Trace, trace
from daybook.events import Rejection
from daybook.importing.ingest import Progress, ingest
from daybook.importing.report import Report
from daybook.importing.rows import Row
from daybook.log.pending import Context
from daybook.queries.channels import Channels, ChannelStatus
from daybook.queries.diff import diff
from daybook.queries.fields import FieldChange
from daybook.queries.history import HistoryChange, history
from daybook.queries.moment import resolve
from daybook.values import Money

LEVEL_SECONDS_MAX = 60.0
OFFLINE = "bol"
OFFLINE_PRODUCTS, OFFLINE_CHANGES = 20, 3


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """A channel was away while prices changed."""

    channel: str
    changes: int
    waiting: int
    """Facets that were due when it came back."""
    calls: int
    """Requests that it received after it came back."""
    level_seconds: float


class ShownRejection(msgspec.Struct, frozen=True, kw_only=True):
    """What a marketplace said about a listing that it does not want."""

    channel: str
    sku: str
    facet: str
    reasons: tuple[Rejection, ...]


class Story:
    """The demo's actors. Chapters are told in order."""

    def __init__(self, app: App, markets: Marketplaces, nats_url: str, claims: Claims) -> None:
        self._app = app
        self._channels = Channels(app.pool, app.registry)
        self._markets = markets
        self._nats_url = nats_url
        self._claims = claims
        self.names = list(markets.all())

    def import_catalogue(self, products: int, progress: Progress) -> Report:
        """The bundled catalogue goes into the book."""
        rows = [
            Row(record=record, file="catalogue", line=number)
            for number, record in enumerate(catalogue.generate(products), 1)
        ]
        report = ingest(self._app.book, rows, actor="demo", source="import:demo", progress=progress)
        self._claims.check("every product of the catalogue was taken", report.ok, report.summary()["counts"]["product"])
        return report

    def wait_level(self) -> float:
        """Until every channel shows what it should, or has said why not."""
        return until("every channel to be level", self._level, LEVEL_SECONDS_MAX)

    def _level(self) -> bool:
        found = [one for one in self._channels.all() if one.name in self.names]
        return len(found) == len(self.names) and all(one.level for one in found)

    def channels(self) -> list[ChannelStatus]:
        """How the channels are doing; and whether each marketplace really shows what was confirmed."""
        found = [one for one in self._channels.all() if one.name in self.names]
        for one in found:
            there = len(self._markets.box(one.name).shown())
            refused = {sku for sku, facet, _, _ in self._channels.rejected(one.name) if self._creates(one.name, facet)}
            self._claims.check(
                f"{one.title} shows its {one.listings - len(refused)} listings",
                there == one.listings - len(refused),
                f"{there} there, {len(refused)} refused",
            )
        return found

    def _creates(self, name: str, facet: str) -> bool:
        return self._app.registry.get(name).facets[0] == facet

    def _priced(self) -> list[tuple[str, int]]:
        """SKUs that every marketplace shows, with their price in cents: as many as the demo needs, in order."""
        shown = [self._markets.box(name).shown() for name in self.names]
        everywhere = sorted(set.intersection(*(set(one) for one in shown)))
        prices = [(sku, Decimal(str(shown[0][sku]["price"]))) for sku in everywhere if shown[0][sku].get("price")]
        return [(sku, int(price * 100)) for sku, price in prices][: 1 + OFFLINE_PRODUCTS]

    def price_change(self) -> Trace:
        """One price, followed everywhere."""
        sku, cents = self._priced()[0]
        command = ChangePrice(sku=sku, amount=str(Money(cents - 100, "EUR").decimal()), currency="EUR")
        found = trace(self._app, self._channels, self._markets, self._nats_url, command, sku, "price")
        self._claims.check("position = sequence", found.sequence == found.position, found.sequence)
        for one in found.channels:
            shown = self._markets.box(one.channel).shown()[sku]["price"]
            self._claims.check(f"{one.channel} shows the new price", shown == command.amount, shown)
        self.wait_level()
        return found

    def outage(self) -> Outage:
        """A channel goes away, prices change, it comes back."""
        box = self._markets.box(OFFLINE)
        others = [name for name in self.names if name != OFFLINE]
        products = self._priced()[1 : 1 + OFFLINE_PRODUCTS]
        newest: dict[str, str] = {}
        box.faults.outage = True
        for number in range(1, OFFLINE_CHANGES + 1):
            for sku, cents in products:
                newest[sku] = str(Money(cents + number, "EUR").decimal())
                command = ChangePrice(sku=sku, amount=newest[sku], currency="EUR")
                self._app.book.carry_out(command, Context.new("demo", "demo", reason=f"round {number}"))
        until(
            "the other channels", lambda: all(self._channels.status(name).level for name in others), LEVEL_SECONDS_MAX
        )
        until(f"{OFFLINE}'s listings", lambda: self._channels.status(OFFLINE).due >= len(products), LEVEL_SECONDS_MAX)
        waiting = self._channels.status(OFFLINE).due
        for name in others:
            right = all(self._markets.box(name).shown()[sku]["price"] == price for sku, price in newest.items())
            self._claims.check(f"{name} went on while {OFFLINE} was away", right)
        before = len(box.received)
        box.faults.outage = False
        seconds = until(f"{OFFLINE} to be level again", self._level, LEVEL_SECONDS_MAX)
        calls = sum(1 for one in list(box.received)[before:] if one.method == "PATCH")
        right = all(box.shown()[sku]["price"] == price for sku, price in newest.items())
        self._claims.check(f"{OFFLINE} has the newest price of all {len(products)} products", right)
        self._claims.check(f"{OFFLINE} was sent each product once, not each change", calls == len(products), calls)
        return Outage(
            channel=OFFLINE,
            changes=len(products) * OFFLINE_CHANGES,
            waiting=waiting,
            calls=calls,
            level_seconds=seconds,
        )

    def history(self, sku: str) -> list[HistoryChange]:
        """Who changed what, and which channels said yes."""
        found = history(self._app.reader, sku)
        told = {one.channel for one in found[-1].channels if one.outcome == "confirmed"}
        self._claims.check("the history names the channels that acknowledged", told == set(self.names), sorted(told))
        return found

    def before(self, sku: str, position: int) -> tuple[datetime, list[FieldChange]]:
        """The product as of just before a change, and what the change made of it."""
        reader = self._app.reader
        was, now = resolve(reader, position=position - 1), resolve(reader, position=position)
        changes = diff(reader, sku, was, now)
        self._claims.check(f"as of position {position - 1} the product had its old price", len(changes) == 1, changes)
        return reader.after(position - 1, 1)[0].recorded_at, changes

    def refusals(self) -> list[ShownRejection]:
        """What the marketplaces refused, in their own words."""
        found = [
            ShownRejection(channel=name, sku=sku, facet=facet, reasons=reasons)
            for name in self.names
            for sku, facet, _, reasons in self._channels.rejected(name)
        ]
        wrong = {(one.channel, one.sku) for one in found}
        expected = {("amazon", catalogue.NO_BRAND_SKU), ("bol", catalogue.TOO_DEAR_SKU)}
        self._claims.check("exactly the flawed products were refused", wrong == expected, sorted(wrong))
        self._claims.check("every refusal gives the marketplace's reason", all(one.reasons for one in found))
        return found
