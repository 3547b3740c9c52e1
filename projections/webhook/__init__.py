"""A webhook: an endpoint of one's own is told the state of each listed SKU, signed by Standard Webhooks 1.0.0.

There may be any number of endpoints; each is a channel of its own, with its own listings, settings and secret.
"""

import re
from functools import partial

from daybook.channel.contract import Manifest, StockRule
from daybook.errors import InvalidValue
from daybook_projections.webhook.connector import SETTINGS, connector
from daybook_projections.webhook.listing import FACETS, NAME, Group, defaults, fold
from daybook_projections.webhook.mapping import PRICE, STOCK, offered, render, render_change
from daybook_projections.webhook.sandbox.server import WebhookSandbox

_NAME = re.compile(r"[a-z][a-z0-9]{0,30}\Z")


def endpoint(name: str) -> Manifest:
    """The channel for one endpoint, under the name by which products are listed on it. Raises InvalidValue.

    Small letters and digits only: an underscore would make DAYBOOK_CHANNEL_<NAME>_<KEY> readable in two ways.
    """
    if not _NAME.match(name):
        raise InvalidValue("name", "must be 1 to 31 small letters and digits, starting with a letter", name)
    return Manifest(
        name=name,
        title="Webhook (Standard Webhooks)" if name == NAME else f"Webhook {name} (Standard Webhooks)",
        version=1,
        state=Group,
        fold=fold,
        render=partial(render, name=name),
        render_change=partial(render_change, name=name),
        facets=FACETS,
        defaults=defaults(name),
        lane="sku",
        connector=partial(connector, name=name),
        settings=SETTINGS,
        sandbox=WebhookSandbox,
        renamed_to=endpoint,
        stock=StockRule(facet=STOCK, price=PRICE, amount=offered),
    )


manifest = endpoint(NAME)
