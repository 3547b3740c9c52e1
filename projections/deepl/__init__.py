"""DeepL: a new or changed text is translated into the languages of the channels on which its product is sold.

A work, not a listing: see `docs/how-to/write-a-work.md`. Each facet is one text of one product, named as the product
names it: `name@de-DE`. What DeepL answers is a finding, `text.drafted`; it reaches no channel before somebody approves
it. Nothing is translated before `locales` of its settings say in which languages people write.
"""

from daybook.channel.contract import Manifest, Reads
from daybook.events import TextDrafted
from daybook.texts.group import READ, GroupTexts, fold_texts
from daybook_projections.deepl.connector import SETTINGS, connector
from daybook_projections.deepl.mapping import DEFAULTS, NAME, render
from daybook_projections.deepl.sandbox.server import DeepLSandbox

manifest = Manifest(
    name=NAME,
    title="Translation (DeepL)",
    version=1,
    kind="work",
    state=GroupTexts,
    fold=fold_texts,
    render=render,
    reads=Reads(("product",), READ),
    findings=(TextDrafted,),
    facets=("text",),
    open_facets=True,
    defaults=DEFAULTS,
    connector=connector,
    settings=SETTINGS,
    sandbox=DeepLSandbox,
    in_flight_max=50,
    gather_max=50,
)
"""One account."""
