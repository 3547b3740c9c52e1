"""Intents about drafts of texts: approved, rejected, asked for once more."""

from collections.abc import Sequence

import msgspec

from daybook import limits
from daybook.catalogue.rules import check_changes
from daybook.commands.decision_view import Change, DecisionView, of_product
from daybook.events import TextApproved, TextRejected, TextRetried
from daybook.product import decisions as product_decisions
from daybook.product.state import Product
from daybook.texts import decisions
from daybook.texts.decisions import DraftName
from daybook.texts.state import Texts
from daybook.values import check_text, parse_code, parse_locale

ENGINE = "deepl"
"""Whose drafts are meant where nothing is said."""


class _OfDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which draft is meant: see `DraftName`."""

    sku: str
    attribute: str
    locale: str
    scope: str | None = None
    source: str | None = None
    engine: str = ENGINE


class ApproveText(_OfDraft, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="approve_text"):
    """The draft is good: it is the product's text from now on."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.approve`: the approval and the product's own event are one append."""
        name, product, texts = _named(scene, self)
        approved, change = decisions.approve(product, texts, name)
        value = product_decisions.set_attributes(product, check_changes(scene.reference, [change]))
        return [_of(name, product, approved), *of_product(product, value)]


class RejectText(_OfDraft, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reject_text"):
    """The draft is not wanted, and no other one of the same source."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.reject`."""
        name, product, texts = _named(scene, self)
        return [_of(name, product, decisions.reject(product, texts, name))]


class RetryText(_OfDraft, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="retry_text"):
    """Another draft of the same source. It is paid for."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.retry`."""
        name, product, texts = _named(scene, self)
        return [_of(name, product, decisions.retry(product, texts, name))]


def _named(scene: DecisionView, wish: _OfDraft) -> tuple[DraftName, Product, Texts | None]:
    name = DraftName(
        engine=parse_code(wish.engine, "engine"),
        sku=wish.sku,
        attribute=parse_code(wish.attribute, "attribute"),
        locale=parse_locale(wish.locale, "locale"),
        scope=None if wish.scope is None else parse_code(wish.scope, "scope"),
        source=None if wish.source is None else check_text(wish.source, "source", limits.NAME),
    )
    product = scene.known_product(wish.sku)
    return name, product, scene.texts(name.engine, name.sku)


def _of(name: DraftName, product: Product, events: Sequence[TextApproved | TextRejected | TextRetried]) -> Change:
    return Change(f"text/{name.engine}/{name.sku}", name.sku, product.key, events)
