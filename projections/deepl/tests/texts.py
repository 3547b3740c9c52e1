"""A catalogue with texts to translate: Dutch ones, sold on a German and a French channel."""

from daybook.channel.contract import Push
from daybook.channel.testing import History
from daybook.events import AttributeDefined, ChannelConfigured, TextApproved, TextDrafted, TextRejected, TextRetried
from daybook.texts.state import text_hash

NL, DE, FR = "nl-NL", "de-DE", "fr-FR"
ATTRIBUTES = (
    AttributeDefined(code="name", type="text", localizable=True),
    AttributeDefined(code="description", type="textarea", localizable=True),
    AttributeDefined(code="brand", type="text"),
)
GERMAN = ChannelConfigured(name="webshop", locales=(DE, NL))
FRENCH = ChannelConfigured(name="google", locales=(FR,))


def configured(**extra: object) -> ChannelConfigured:
    return ChannelConfigured(name="deepl", locales=(NL,), extra=dict(extra))


def catalogue(**extra: object) -> History:
    """One product with a Dutch name, sold in German."""
    history = History().happened(*ATTRIBUTES, GERMAN, FRENCH, configured(**extra))
    return history.product("A", attributes={f"name@{NL}": "Rugzak", "brand": "Acme"}, listed=("webshop",))


def drafted(text: str, source: str = "Rugzak", sku: str = "A", attribute: str = "name", **more: object) -> TextDrafted:
    given = {"engine": "deepl", "locale": DE, "source_locale": NL, "characters": len(source)} | more
    return TextDrafted(sku=sku, attribute=attribute, source=text_hash(source), draft=text, **given)  # type: ignore[arg-type]


def approved(text: str, source: str = "Rugzak", sku: str = "A") -> TextApproved:
    return TextApproved(engine="deepl", sku=sku, attribute="name", locale=DE, source=text_hash(source), text=text)


def rejected(source: str = "Rugzak", sku: str = "A") -> TextRejected:
    return TextRejected(engine="deepl", sku=sku, attribute="name", locale=DE, source=text_hash(source))


def retried(source: str = "Rugzak", sku: str = "A") -> TextRetried:
    return TextRetried(engine="deepl", sku=sku, attribute="name", locale=DE, source=text_hash(source))


def work(text: str = "Rugzak", to: str = "DE", **more: object) -> dict[str, object]:
    settings = more.pop("settings", {})
    plain = {"text": text, "source": text_hash(text), "source_locale": NL, "from": "NL", "to": to, "settings": settings}
    return plain | more


def push(payload: dict[str, object] | None, sku: str = "A", facet: str = f"name@{DE}", attempt: int = 1) -> Push:
    return Push(
        sku=sku,
        key=sku,
        facet=facet,
        payload=payload,
        listing={},
        remote_id=None,
        remote_ids={},
        position=1,
        attempt=attempt,
    )
