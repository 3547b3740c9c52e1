"""Drafts of texts, as they stand, and what people say of them; and what products still lack."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from daybook.access.authority import reach
from daybook.commands.texts import ENGINE, ApproveText, RejectText, RetryText
from daybook.completeness import drafts, lacking
from daybook.completeness.drafts import TextPage, TextRow, TextStatus
from daybook.completeness.lacking import CompletenessPage, CompletenessRow, CompletenessStatus
from daybook.completeness.visible import VisibleTexts
from daybook.filters.visible import Visible, check_within, within_reach
from daybook.web.declared import COMMAND, QUESTION
from daybook.web.dependencies import InjectedApp, InjectedCaller, InjectedPrincipal
from daybook.web.needs import needs
from daybook.web.pages import AfterKey, RowLimit
from daybook.web.responses import Receipt, carry_out

OF_PRODUCT = "/products/{sku:str}/texts"
State = Annotated[
    str | None, QueryParameter(name="state", description="`wanted`, `draft`, `stale`, `rejected` or `approved`.")
]
Everything = Annotated[bool, QueryParameter(name="all", description="Those that lack nothing, too.")]


class DraftChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which draft of a product is meant."""

    attribute: str
    locale: str
    scope: str | None = None
    """The channel scope of the value, where it has one."""
    source: str | None = None
    """The `source_hash` that was seen: refused when the source is another one by now."""
    engine: str = ENGINE


@get("/texts", **QUESTION, **needs("product.read", listed=True), summary="Texts that machines draft")
def list_texts(
    app: InjectedApp,
    principal: InjectedPrincipal,
    standing: State = None,
    locale: FromQuery[str | None] = None,
    sku: FromQuery[str | None] = None,
    after: AfterKey = None,
    limit: RowLimit = 50,
) -> TextPage:
    """Each text that is to be in another language: where it stands, why, and the next step.

    Within a scope, those that a channel inside of it wants: others would tell where else a product is sold.
    """

    def read(after: str | None, limit: int) -> tuple[list[TextRow], str | None]:
        found = drafts.page(app.pool, state=standing, locale=locale, sku=sku, after=after, limit=limit)
        return found.texts, found.next

    within = reach(principal, "product.read")
    if within.everything:
        return TextPage(*read(after, limit))
    drafts.check_rows(limit)
    texts = VisibleTexts(Visible(app.reader, within))
    return TextPage(*within_reach(read, texts.holds, lambda one: f"{one.sku}~{one.slot}", after, limit))


@get("/texts/status", **QUESTION, **needs("status.read"), summary="How many texts stand how, and what they cost")
def show_text_status(app: InjectedApp) -> TextStatus:
    """By locale and state, with characters: what was billed this month, and what is still to be drafted."""
    return drafts.status(app.pool)


@post(f"{OF_PRODUCT}/approved", **COMMAND, **needs("product.change", command=True), summary="Approve a draft")
def approve_text(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], data: JSONBody[DraftChoice]
) -> Response[Receipt]:
    """It is the product's text from now on. What a person wrote there is not replaced."""
    wish = ApproveText(sku=sku, **_said(data))
    return carry_out(app, caller, wish, f"text/{data.engine}/{sku}")


@post(f"{OF_PRODUCT}/rejected", **COMMAND, **needs("product.change", command=True), summary="Reject a draft")
def reject_text(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], data: JSONBody[DraftChoice]
) -> Response[Receipt]:
    """It is not wanted, and no other one of the same source."""
    wish = RejectText(sku=sku, **_said(data))
    return carry_out(app, caller, wish, f"text/{data.engine}/{sku}")


@post(f"{OF_PRODUCT}/retried", **COMMAND, **needs("product.change", command=True), summary="Ask for another draft")
def retry_text(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], data: JSONBody[DraftChoice]
) -> Response[Receipt]:
    """Of the same source. It is paid for."""
    wish = RetryText(sku=sku, **_said(data))
    return carry_out(app, caller, wish, f"text/{data.engine}/{sku}")


@get("/completeness", **QUESTION, **needs("product.read", listed=True), summary="What products lack")
def list_lacking(
    app: InjectedApp,
    principal: InjectedPrincipal,
    channel: FromQuery[str | None] = None,
    locale: FromQuery[str | None] = None,
    family: FromQuery[str | None] = None,
    missing: FromQuery[str | None] = None,
    sku: FromQuery[str | None] = None,
    everything: Everything = False,
    after: AfterKey = None,
    limit: RowLimit = 50,
) -> CompletenessPage:
    """For each channel on which they are sold: what is missing, why, and the next step."""
    within = reach(principal, "product.read")
    check_within(within, channel, "channel", "product.read")

    def read(after: str | None, limit: int) -> tuple[list[CompletenessRow], str | None]:
        found = lacking.page(
            app,
            channel=channel,
            locale=locale,
            family=family,
            missing=missing,
            sku=sku,
            everything=everything,
            after=after,
            limit=limit,
        )
        return found.products, found.next

    if within.everything:
        return CompletenessPage(*read(after, limit))
    drafts.check_rows(limit)
    seen = Visible(app.reader, within)
    rows = within_reach(
        read, lambda one: seen.holds(one.sku, one.channel), lambda one: f"{one.sku}~{one.channel}", after, limit
    )
    return CompletenessPage(*rows)


@get("/completeness/status", **QUESTION, **needs("status.read"), summary="How many products lack what")
def show_completeness(app: InjectedApp) -> CompletenessStatus:
    """By channel."""
    return lacking.status(app.pool)


def _said(data: DraftChoice) -> dict[str, Any]:
    return {name: getattr(data, name) for name in data.__struct_fields__}


ROUTES: tuple[Any, ...] = (
    *(list_texts, show_text_status, approve_text, reject_text, retry_text),
    *(list_lacking, show_completeness),
)
