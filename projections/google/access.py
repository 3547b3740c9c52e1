"""Google's OAuth 2.0: an access token for each hour, by the refresh token of a user who may manage the account."""

from collections.abc import Mapping

from daybook.channel.oauth import OAuth, refresh_token


def sign_in(settings: Mapping[str, str]) -> OAuth:
    """Asks for tokens at `token_url`, or at /token under the API's own address."""
    return OAuth(
        settings.get("token_url") or settings["url"].rstrip("/") + "/token",
        refresh_token(settings["client_id"], settings["client_secret"], settings["refresh_token"]),
        issuer="Google",
        check="DAYBOOK_CHANNEL_GOOGLE_CLIENT_ID, _CLIENT_SECRET and _REFRESH_TOKEN",
    )
