"""A login with a browser: the authorisation code flow of OpenID Connect, with PKCE, state and nonce.

Nothing is kept here between its two halves. The browser keeps one random secret in a cookie that pages can't read;
state, nonce and PKCE verifier are made of it and of where the login leads. So a stranger's answer fits no browser but
his own, a flood of begun logins fills no table, and any process may take the second half.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from daybook.errors import InvalidValue, NotFound, Unavailable
from daybook.identity.fetch import ask
from daybook.identity.provider import Provider, ProviderMetadata
from daybook.identity.token import Subject, check_algorithm, check_claims, check_signature, refused, take_apart
from daybook.ids import new_secret
from daybook.oidc_settings import OidcProvider, is_local

RETURN_LENGTH_MAX = 1000
ASKED_PER_SECOND, ASKED_AT_ONCE = 20.0, 40.0
"""Answers that providers are asked to confirm, for long and in one go: anybody can make up answers, and none of them is
cheaper for the provider than for us. A whole company that comes to work is let in within a minute."""
_COOKIE = re.compile(r"([a-z0-9]+)\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{0,1400})")
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of ours: no host, no backslash, which browsers read as a slash, and nothing that needs to be encoded."""


class BegunLogin(msgspec.Struct, frozen=True):
    """What the browser keeps of a login until it comes back. Known to it alone."""

    provider: str
    secret: str
    return_to: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"BegunLogin({self.provider})"

    def spelled(self) -> str:
        """As it stands in the cookie."""
        return f"{self.provider}.{self.secret}.{_text(self.return_to.encode())}"

    def derived(self, end: str) -> str:
        """43 characters for an end, of which nobody can tell the secret or those for another end."""
        said = f"{end} {self.provider} {self.return_to}"
        return _text(hmac.digest(self.secret.encode(), said.encode(), "sha256"))

    def mark(self) -> str:
        """What is kept of the login, so that it counts once."""
        return hashlib.sha256(self.derived("state").encode()).hexdigest()


def parse_begun(text: str) -> BegunLogin | None:
    """What the browser kept; None for what is none."""
    found = _COOKIE.fullmatch(text)
    if found is None:
        return None
    try:
        return_to = base64.urlsafe_b64decode(found[3] + "=" * (-len(found[3]) % 4)).decode("ascii")
    except ValueError:
        return None
    return BegunLogin(found[1], found[2], return_to) if _PATH.fullmatch(return_to) else None


def check_return(path: str) -> str:
    """Where a login leads: a path here. Raises InvalidValue for what leads elsewhere."""
    if len(path) > RETURN_LENGTH_MAX or not _PATH.fullmatch(path):
        raise InvalidValue("return_to", f"must be a path of this server, of at most {RETURN_LENGTH_MAX} characters")
    return path


class BrowserLogin:
    """The providers with which one may log in, at the address by which browsers reach us."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        address: str | None,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`providers` are by issuer."""
        self._providers = {
            one.settings.name: one for one in providers.values() if one.settings.client_id is not None and address
        }
        self._redirect = f"{address}/auth/callback"
        self._wall, self._clock = wall, clock
        self._left, self._at = ASKED_AT_ONCE, clock()

    def names(self) -> Sequence[str]:
        """What `provider` may be."""
        return tuple(self._providers)

    async def begin(self, name: str | None, return_to: str) -> tuple[str, BegunLogin]:
        """Where to send the browser, and what it keeps. Raises NotFound, InvalidValue and Unavailable."""
        provider = self._provider(name)
        begun = BegunLogin(provider.settings.name, _text(new_secret()), check_return(return_to))
        asked = {
            "response_type": "code",
            "client_id": _client(provider.settings),
            "redirect_uri": self._redirect,
            "scope": " ".join(provider.settings.scopes),
            "state": begun.derived("state"),
            "nonce": begun.derived("nonce"),
            "code_challenge": _text(hashlib.sha256(begun.derived("verifier").encode()).digest()),
            "code_challenge_method": "S256",
        }
        address = _endpoint(provider, (await provider.metadata()).authorization_endpoint)
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked, quote_via=quote)}", begun

    async def finish(self, begun: BegunLogin, answer: Mapping[str, str]) -> Subject:
        """Whom the provider vouches for. Raises Unauthenticated with the class of the reason, and Unavailable."""
        provider = self._provider(begun.provider)
        if not hmac.compare_digest(answer.get("state", "").encode(), begun.derived("state").encode()):
            raise refused("wrong_state", "this answer belongs to another login: begin again at /auth/login")
        metadata = await provider.metadata()
        issuer = answer.get("iss")
        if issuer != provider.settings.issuer and (
            issuer is not None or metadata.authorization_response_iss_parameter_supported
        ):
            # RFC 9207: a provider's answer that is handed on to another one would give that one the code.
            raise refused("wrong_issuer", "this answer is not of the provider that was asked")
        if "error" in answer:
            why = answer["error"] if re.fullmatch("[a-z_]{1,50}", answer["error"]) else "error"
            raise refused("not_vouched", f"the provider did not let you in ({why}): begin again at /auth/login")
        if not answer.get("code"):
            raise refused("malformed", "the provider's answer has no code: begin again at /auth/login")
        return await self._checked(provider, begun, await self._id_token(provider, metadata, begun, answer["code"]))

    async def _id_token(self, provider: Provider, metadata: ProviderMetadata, begun: BegunLogin, code: str) -> str:
        settings = provider.settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": begun.derived("verifier"),
        }
        headers: dict[str, str] = {}
        methods = metadata.token_endpoint_auth_methods_supported
        if settings.client_secret is None:
            form["client_id"] = _client(settings)
        elif methods is None or "client_secret_basic" in methods:
            # RFC 6749, 2.3.1: each half is form-encoded before they are joined.
            pair = f"{quote(_client(settings), safe='')}:{quote(settings.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": _client(settings), "client_secret": settings.client_secret}
        address = _endpoint(provider, metadata.token_endpoint)
        self._count()
        status, body = await ask(settings, address, form=form, headers=headers)
        token = body.get("id_token") if isinstance(body, dict) else None
        if status != 200 or not isinstance(token, str):
            why = body.get("error") if isinstance(body, dict) else None
            said = why if isinstance(why, str) and re.fullmatch("[a-z_]{1,50}", why) else f"status {status}"
            raise refused("not_vouched", f"the provider gave no ID token ({said}): begin again at /auth/login")
        return token

    def _count(self) -> None:
        """Raises Unavailable when the providers have been asked too much just now."""
        now = self._clock()
        self._left, self._at = min(ASKED_AT_ONCE, self._left + (now - self._at) * ASKED_PER_SECOND), now
        if self._left < 1:
            raise Unavailable("too many logins at once: the identity provider is not asked for more just now")
        self._left -= 1

    async def _checked(self, provider: Provider, begun: BegunLogin, text: str) -> Subject:
        """OpenID Connect Core, 3.1.3.7."""
        token, settings = take_apart(text), provider.settings
        client = _client(settings)
        check_algorithm(token, settings)
        subject = check_claims(token, settings, (client,), self._wall())
        audience, party = token.claims.get("aud"), token.claims.get("azp")
        if (isinstance(audience, list) and len(audience) > 1 and party is None) or party not in (None, client):
            raise refused("wrong_audience", "the ID token was made for another client (`azp`)")
        nonce = token.claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(
            nonce.encode("utf-8", "surrogatepass"), begun.derived("nonce").encode()
        ):
            raise refused("wrong_nonce", "the ID token belongs to another login: begin again at /auth/login")
        key = await provider.key(token.kid, token.algorithm)
        if key is None:
            raise refused("unknown_key", "the ID token is signed with a key that its issuer does not have")
        check_signature(token, key, settings)
        return subject

    def _provider(self, name: str | None) -> Provider:
        if not self._providers:
            raise NotFound(
                "nobody can log in with a browser here: set DAYBOOK_OIDC_CLIENT_ID and DAYBOOK_HTTP_ADDRESS, or send "
                "a key"
            )
        if name is None and len(self._providers) == 1:
            return next(iter(self._providers.values()))
        if name is None or name not in self._providers:
            raise InvalidValue("provider", f"must be one of {', '.join(self._providers)}")
        return self._providers[name]


def _client(settings: OidcProvider) -> str:
    assert settings.client_id is not None
    return settings.client_id


def _endpoint(provider: Provider, url: Any) -> str:
    """Raises Unavailable for an address that no browser and no secret is sent to."""
    parts = urlsplit(url) if isinstance(url, str) else None
    here = provider.settings.local and parts is not None and parts.scheme == "http" and is_local(str(url))
    if parts is None or not parts.hostname or parts.fragment or not (parts.scheme == "https" or here):
        raise Unavailable(f"the identity provider {provider.settings.name} names no address over https to log in at")
    return str(url)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
