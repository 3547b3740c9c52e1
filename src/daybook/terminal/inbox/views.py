"""What a person sees of messages that were refused."""

import json

from daybook.inbox.refused import RefusedMessage, RefusedMessages
from daybook.terminal.render import Show, line, stacked
from daybook.terminal.tables import table


def listed(found: RefusedMessages) -> Show:
    """One line a message."""
    rows = [(one.number, one.sender, one.sku, one.type, one.refused_at, one.reason) for one in found.messages]
    columns = ("#number", "sender", "SKU", "type", "since (UTC)", "why")
    more = [line(f"more: --after {found.next}")] if found.next else []
    steps = [line("next: daybook inbox retry NUMBER, or daybook inbox drop NUMBER")] if rows else []
    return stacked(table(columns, rows, "none was refused"), *more, *steps)


def shown(found: RefusedMessage) -> Show:
    """A message as it came, and why it was refused."""
    said = found.message if isinstance(found.message, str) else json.dumps(found.message, indent=2, ensure_ascii=False)
    about = [("number", found.number), ("sender", found.sender), ("SKU", found.sku), ("since (UTC)", found.refused_at)]
    rows = [*about, ("field", found.field), ("why", found.reason)]
    return stacked(table(("", ""), rows), line(said))
