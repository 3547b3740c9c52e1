"""A text is translated once, by the whole line of a running Daybook; neither a replay nor a rebuild repeats a call."""

from msgspec.structs import replace

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Rendered
from daybook.commands import (
    ConfigureChannel,
    CreateProduct,
    DefineAttribute,
    DelistProduct,
    DiscontinueProduct,
    ListProduct,
    ReinstateProduct,
    SetAttributes,
)
from daybook.events import AttributeChange, ChannelConfigured, TextDrafted
from daybook.postgres.pool import connect_async
from daybook.rebuild import prune
from daybook.texts.group import GroupTexts
from daybook_projections.deepl import manifest, mapping
from daybook_projections.deepl.sandbox.server import DeepLSandbox
from projections.deepl.tests.texts import ATTRIBUTES, DE, NL, configured
from tests.fixtures.channels import toy
from tests.fixtures.log_events import every_event
from tests.fixtures.pipeline import Pipeline
from tests.fixtures.rebuilding import rebuilt

SOLD_IN_GERMAN = ChannelConfigured(name="toy", locales=(DE, NL))


def wrote(sku: str, text: str) -> SetAttributes:
    return SetAttributes(sku=sku, changes=(AttributeChange(attribute="name", value=text, locale=NL),))


def drafts(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    found = [one.event for one in every_event(pipeline.app.reader)]
    return [(one.sku, one.locale, one.draft) for one in found if isinstance(one, TextDrafted)]


async def test_texts_are_drafted_once_and_again_when_their_source_changes(database: str, nats_url: str) -> None:
    sandbox = DeepLSandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        pipeline.relay()
        runner = pipeline.runner()
        worker = pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(
            *(DefineAttribute(attribute=one) for one in ATTRIBUTES),
            *(ConfigureChannel(channel=one) for one in (configured(), SOLD_IN_GERMAN)),
            *(CreateProduct(sku=sku) for sku in ("A", "B")),
            *(wrote(sku, f"Rugzak {sku}") for sku in ("A", "B")),
            *(ListProduct(sku=sku, channel="toy") for sku in ("A", "B")),
        )
        await pipeline.level()
        assert sorted(drafts(pipeline)) == [("A", DE, "[DE] Rugzak A"), ("B", DE, "[DE] Rugzak B")]
        await pipeline.carry_out(wrote("A", "Tas"))
        await pipeline.level()
        assert drafts(pipeline)[2:] == [("A", DE, "[DE] Tas")]
        await pipeline.carry_out(wrote("A", "Rugzak A"))
        await pipeline.level()
        assert sandbox.translations.total() == 3, "a text that was translated before is not paid for again"
        await pipeline.carry_out(DelistProduct(sku="A", channel="toy"), DiscontinueProduct(sku="B"))
        await pipeline.level()
        await pipeline.carry_out(ListProduct(sku="A", channel="toy"), ReinstateProduct(sku="B"))
        await pipeline.level()
        assert sandbox.translations.total() == 3, "nor is one of a product that goes and comes back"

        await pipeline.end(worker)
        await pipeline.end(runner)
        async with await connect_async(database, "test") as conn:
            await prune.forget(conn, "deepl")
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(wrote("B", "Koffer"))
        await pipeline.caught_up()
        await pipeline.level()
        assert sandbox.translations.total() == 4, "a replay pays for nothing but what is new"

        done = await rebuilt(database, replace(manifest, render=_formal, version=2))
        assert done.plan is not None and done.plan.calls == {"redo name@de-DE": 1}
        assert sandbox.translations.total() == 4
    await sandbox.stop()


def _formal(state: GroupTexts, reference: Reference) -> Rendered:
    """New code: B is translated formally."""
    shown = dict(mapping.render(state, reference))
    for (sku, facet), payload in shown.items():
        if sku == "B" and isinstance(payload, dict):
            shown[sku, facet] = payload | {"settings": {"formality": "more"}}
    return shown
