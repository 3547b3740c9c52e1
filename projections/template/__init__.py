"""The channel to copy: an offer and its stock, on a marketplace whose API answers at once. It is not installed."""

from daybook.catalogue.group import Group, fold_group
from daybook.channel.contract import Manifest
from daybook_projections.template.connector import SETTINGS, connector
from daybook_projections.template.mapping import DEFAULTS, FACETS, NAME, render
from daybook_projections.template.sandbox.server import TemplateSandbox

manifest = Manifest(
    name=NAME,
    title="Template",
    version=1,
    state=Group,
    fold=fold_group,
    render=render,
    facets=FACETS,
    defaults=DEFAULTS,
    connector=connector,
    settings=SETTINGS,
    sandbox=TemplateSandbox,
)
