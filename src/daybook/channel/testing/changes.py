"""That what a channel renders of one change is what rendering all of it would have given."""

from collections.abc import Sequence
from typing import Any

from daybook.catalogue.reference import EMPTY, Reference, fold_references
from daybook.channel.contract import Manifest, SkuChange
from daybook.events import Recorded, StockEvent
from daybook.events.envelope import REFERENCE_KEY


def check_changes(manifest: Manifest, recorded: Sequence[Recorded], since: int = 0) -> None:
    """Compares, after each event behind the first `since`, what `render_change` and what `render` give.

    Each event is looked at alone, and with those of its SKU that came right before it, as one command has them.
    """
    if manifest.render_change is None:
        return
    reference = fold_references(EMPTY, (each.event for each in recorded))
    states: dict[str, Any] = {}
    run: list[Recorded] = []
    began: Any = None
    for number, each in enumerate(recorded):
        if each.key == REFERENCE_KEY or each.sku is None:
            continue
        before = states.get(each.key)
        after = states[each.key] = manifest.fold(before, each)
        if not run or run[-1].sku != each.sku:
            run, began = [], before
        if after is before:
            continue
        run.append(each)
        if number >= since:
            _check(manifest, before, after, [each], reference)
            _check(manifest, began, after, run, reference)


def _check(manifest: Manifest, before: Any, after: Any, changed: Sequence[Recorded], reference: Reference) -> None:
    sku = changed[-1].sku
    if manifest.render_change is None or before is None or after is None or sku is None:
        return
    shown = dict(manifest.render(before, reference))
    change = SkuChange(
        sku=sku,
        before=before,
        after=after,
        reference=reference,
        listed=tuple(facet for facet in manifest.facets if (sku, facet) in shown),
        stock_only=all(isinstance(each.event, StockEvent) for each in changed),
    )
    part = manifest.render_change(change)
    if part is not None:
        whole = dict(manifest.render(after, reference))
        what = f"{changed[-1].type} of {sku} at position {changed[-1].position}"
        assert shown | dict(part) == whole, f"render_change and render differ after {what}"
