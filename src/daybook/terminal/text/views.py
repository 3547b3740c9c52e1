"""What a person sees of texts that machines draft."""

from daybook.completeness.drafts import TextPage, TextStatus
from daybook.terminal.render import Show, line, stacked
from daybook.terminal.tables import table


def listed(found: TextPage) -> Show:
    """One row a text, and how to go on."""
    rows = [
        (
            one.sku,
            f"{one.attribute} {one.locale}" + (f" {one.scope}" if one.scope else ""),
            one.state,
            one.source,
            one.draft,
            one.reason,
            one.next_step,
        )
        for one in found.texts
    ]
    shown = table(("SKU", "text", "state", "source", "draft", "why", "next step"), rows, "no text is to be drafted")
    return shown if found.next is None else stacked(shown, line(f"more: --after {found.next}"))


def counted(found: TextStatus) -> Show:
    """One row a locale and state, and what it costs."""
    rows = [(one.engine, one.locale, one.state, one.texts, one.characters, one.since) for one in found.counts]
    billed = ", ".join(f"{engine} {characters:,}" for engine, characters in found.billed_this_month.items())
    refused = sum(one.refused for one in found.counts)
    return stacked(
        table(("engine", "locale", "state", "#texts", "#characters", "oldest (UTC)"), rows, "no text is to be drafted"),
        *(
            [line(f"refused, and not drafted: {refused:,}; `daybook text list --state wanted` says why")]
            if refused
            else []
        ),
        line(f"still to be drafted: {found.to_draft_characters:,} characters"),
        line(f"billed this month: {billed or 'nothing'}"),
    )
