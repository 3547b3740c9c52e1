"""The requests that would be sent, printed instead of sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec

from daybook.app import App
from daybook.channel.connection import connected
from daybook.delivery.preview import FacetPreview, Preview, preview
from daybook.queries.groups import key_of_subject
from daybook.terminal.channel import views
from daybook.terminal.render import Show, line, stacked

_WAYS = {
    "with_creation": "goes with the request that makes the listing, or right after it",
    "with_removal": "goes with the request that takes the listing off",
    "accepted": "was sent, and the channel works on it",
    "nothing": "needs no request",
}


def of(app: App, name: str, sku: str, *, as_if_new: bool, validate: bool) -> Preview:
    """What would be sent. Raises NotFound, and as `connected` does."""
    manifest = app.registry.get(name)
    key, connector = key_of_subject(app.reader, sku, manifest.reads.keys), connected(app.registry, app.settings, name)
    dsn = app.settings.require_postgres()

    async def main() -> Preview:
        try:
            return await preview(dsn, manifest, connector, sku, key, as_if_new=as_if_new, validate=validate)
        finally:
            await connector.close()

    return asyncio.run(main())


def shown(found: Preview) -> Show:
    """For a person."""
    parts = [line(f"{found.sku} on {found.channel}, as of position {found.position}; nothing is sent")]
    if not found.facets:
        parts.append(
            line(
                f"{found.channel} should show nothing of it: `daybook channel listing {found.sku}` says why"
                if found.as_if_new
                else "nothing of it is due; with --all, all of it is shown as if it were new"
            )
        )
    parts += [line(text) for one in found.facets for text in _facet(one)]
    if found.validated is False:
        parts.append(line(f"{found.channel} can't be asked what it would say: its connector has no `validate`"))
    return stacked(*parts)


def _facet(one: FacetPreview) -> Iterator[str]:
    if one.way != "request":
        yield f"{one.facet}: {_WAYS.get(one.way) or f'waits: {one.why}'}"
    else:
        shared = f" (may share its request with other products: {one.together})" if one.together else ""
        yield f"{one.facet}{shared}:"
        for request in one.requests:
            yield f"  {request.method} {request.url}"
            if request.body is not None:
                yield msgspec.json.format(msgspec.json.encode(request.body), indent=2).decode()
        if one.why:
            yield f"  {one.why}"
    if one.verdict is not None:
        yield f"  the channel says: {views.reasons(one.verdict) or 'it would take this'}"
