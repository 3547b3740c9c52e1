"""Signs in to a shop: an access token for each day, by the credentials of an app that is installed there."""

from collections.abc import Mapping

from daybook.channel.oauth import OAuth, client_credentials


def sign_in(settings: Mapping[str, str]) -> OAuth | str:
    """Asks for tokens; or the one that never ends, of an app that was made in the shop's admin before 2026."""
    return settings.get("access_token") or OAuth(
        settings["url"].rstrip("/") + "/admin/oauth/access_token",
        client_credentials(settings["client_id"], settings["client_secret"]),
        issuer="Shopify",
        check="DAYBOOK_CHANNEL_SHOPIFY_CLIENT_ID and _CLIENT_SECRET, and that the app is installed in the shop",
    )
