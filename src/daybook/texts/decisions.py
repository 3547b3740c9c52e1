"""What people may say of a draft. Pure: product and drafts in, events or a domain error out."""

from typing import Any

import msgspec

from daybook.errors import NotFound, Refused
from daybook.events import AttributeChange, TextApproved, TextRejected, TextRetried
from daybook.product.state import Product, slot
from daybook.texts.state import EMPTY, Draft, Texts, text_hash
from daybook.texts.wanted import by_hand


class DraftName(msgspec.Struct, frozen=True, kw_only=True):
    """Which draft is meant: of one text, and of the source that its reader saw."""

    engine: str
    sku: str
    attribute: str
    locale: str
    scope: str | None = None
    source: str | None = None
    """The source's hash; None: of whatever source it is."""

    @property
    def slot(self) -> str:
        """Where the text lives."""
        return slot(self.attribute, self.locale, self.scope)

    def __str__(self) -> str:
        """For people."""
        return " ".join(one for one in (self.sku, self.attribute, self.locale, self.scope) if one)


def approve(product: Product, texts: Texts | None, name: DraftName) -> tuple[list[TextApproved], AttributeChange]:
    """The draft becomes the product's value. What a person wrote there stays, and what has a problem is not taken."""
    draft = _current(product, texts or EMPTY, name)
    if draft.problem is not None:
        raise Refused(
            f"the draft of {name} has a problem, {draft.problem}: write the text yourself with `daybook product set`, "
            "or ask for another draft with `daybook text retry`",
            sku=name.sku,
        )
    change = AttributeChange(attribute=name.attribute, value=draft.text, locale=name.locale, channel=name.scope)
    if draft.state == "approved" and product.attributes.get(name.slot) == draft.text:
        return [], change
    return [TextApproved(**_about(name, draft), text=draft.text)], change


def reject(product: Product, texts: Texts | None, name: DraftName) -> list[TextRejected]:
    """The draft is not wanted. Twice is once."""
    draft = _current(product, texts or EMPTY, name)
    _not_approved(draft, name)
    return [] if draft.state == "rejected" else [TextRejected(**_about(name, draft))]


def retry(product: Product, texts: Texts | None, name: DraftName) -> list[TextRetried]:
    """Another draft of the same source; while one is on its way that was asked for, nothing more."""
    draft = _current(product, texts or EMPTY, name)
    _not_approved(draft, name)
    return [] if draft.state == "retried" else [TextRetried(**_about(name, draft))]


def _current(product: Product, texts: Texts, name: DraftName) -> Draft:
    """The draft that is meant, of a text that is not a person's. Raises NotFound and Refused."""
    if by_hand(product, texts, name.slot):
        words = f"{name.sku} {name.attribute} --locale {name.locale}" + (f" --scope {name.scope}" if name.scope else "")
        raise Refused(
            f"a person wrote {name}: a machine has no part in it before `daybook product set {words} --unset`",
            sku=name.sku,
        )
    drafts = texts.drafts.get(name.slot, ())
    if not drafts:
        raise NotFound(f"there is no draft of {name}: `daybook text list` shows those that there are", sku=name.sku)
    source = product.attributes.get(slot(name.attribute, drafts[-1].source_locale, name.scope))
    found = texts.draft_of(name.slot, drafts[-1].source_locale, text_hash(str(source)))
    if found is None or name.source not in (None, found.source):
        raise Refused(f"the source of {name} changed since this draft: look at it again", sku=name.sku)
    return found


def _not_approved(draft: Draft, name: DraftName) -> None:
    if draft.state == "approved":
        raise Refused(f"the draft of {name} was approved: change the product's text instead", sku=name.sku)


def _about(name: DraftName, draft: Draft) -> dict[str, Any]:
    return {
        "engine": name.engine,
        "sku": name.sku,
        "attribute": name.attribute,
        "locale": name.locale,
        "channel": name.scope,
        "source": draft.source,
    }
