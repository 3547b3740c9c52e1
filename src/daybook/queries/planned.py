"""What a command would change, field by field: a decision that was not carried out, in the words of the history."""

from collections.abc import Mapping
from typing import Any

import msgspec

from daybook.catalogue.group import Group
from daybook.commands.dry_run import Decision
from daybook.events.envelope import REFERENCE_KEY
from daybook.queries.fields import FieldChange, differences, own


def planned(decision: Decision) -> list[FieldChange]:
    """The fields that would differ, of a product with its stock, or of a definition."""
    change = decision.changes[0]
    if change.key == REFERENCE_KEY:
        before, after = (_definition(states[change.stream]) for states in (decision.before, decision.after))
    else:
        before, after = (_product(states, change.sku or "") for states in (decision.before, decision.after))
    return differences(before, after)


def _product(states: Mapping[str, Any], sku: str) -> Mapping[str, Any]:
    product, stock = states.get(f"product/{sku}"), states.get(f"stock/{sku}")
    if product is None:
        return {}
    return own(Group(product.key, {sku: product}, {sku: stock} if stock is not None else {}), sku)


def _definition(state: Any) -> Mapping[str, Any]:
    """Its fields, labels and requirements one by one; fields that say nothing are absent."""
    if state is None:
        return {}
    fields = msgspec.to_builtins(state)
    for field in ("labels", "required"):
        fields |= {f"{field}.{name}": value for name, value in fields.pop(field, {}).items()}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
    return {name: value for name, value in plain.items() if value not in (None, [], {}, False)}
