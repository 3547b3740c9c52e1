"""Makes the connector from what a shop's owner has set: where it is, as whom we come, and where things are sold."""

from collections.abc import Mapping

from daybook.channel.contract import Setting
from daybook.channel.orders import SWITCH
from daybook_projections.shopify.access import sign_in
from daybook_projections.shopify.connector import ShopifyConnector
from daybook_projections.shopify.orders import SECRETS

SETTINGS = (
    Setting("url", "the shop's own address: https://<shop>.myshopify.com"),
    Setting("client_id", "of the app", unless="access_token"),
    Setting("client_secret", "of the app", unless="access_token"),
    Setting("access_token", "of an app that was made in the shop's admin before 2026", optional=True),
    Setting("location_id", "where the stock is: a gid or its number"),
    Setting("publication_id", "where it is sold, such as the online store: a gid or its number"),
    Setting(
        SWITCH, "`true`: the shop's orders are taken in, by its webhooks and by asking what changed", optional=True
    ),
    Setting(
        SECRETS,
        "of webhooks that were made in the shop's admin, and of the app before it was changed; spaces between",
        optional=True,
    ),
)


def connector(settings: Mapping[str, str]) -> ShopifyConnector:
    """From the values of `SETTINGS`. Location and publication are gids or their numbers."""
    return ShopifyConnector(
        settings["url"],
        sign_in(settings),
        gid("Location", settings["location_id"]),
        gid("Publication", settings["publication_id"]),
    )


def gid(kind: str, text: str) -> str:
    """A global id, from itself or from its number."""
    return text if text.startswith("gid://") else f"gid://shopify/{kind}/{text}"
