"""Login with Amazon: an access token for each hour, by the refresh token of a seller who has allowed the access."""

from collections.abc import Mapping

from daybook.channel.oauth import OAuth, refresh_token


def sign_in(settings: Mapping[str, str]) -> OAuth:
    """Asks for tokens at `token_url`, which at Amazon is another host than the API's."""
    return OAuth(
        (settings.get("token_url") or settings["url"]).rstrip("/") + "/auth/o2/token",
        refresh_token(settings["client_id"], settings["client_secret"], settings["refresh_token"]),
        issuer="Amazon",
        check="DAYBOOK_CHANNEL_AMAZON_CLIENT_ID, _CLIENT_SECRET and _REFRESH_TOKEN",
    )
