"""One identity provider as this process knows it: its addresses and its keys, asked for seldom and kept.

Whoever sends tokens must not be able to make us ask: a key that is not known is asked for once a minute. A provider
that is away stops nobody whose token a known key has signed.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec

from daybook.errors import Unavailable
from daybook.identity.fetch import ask
from daybook.identity.keyset import PublicKey, choose, public_keys
from daybook.oidc_settings import OidcProvider

log = logging.getLogger("daybook.identity")

FRESH_SECONDS = 600.0
"""So old the keys may be before they are asked for again, behind the back of who is served."""
AGAIN_SECONDS = 60.0
"""So long nobody can make us ask once more."""
FIRST_SECONDS = 5.0
"""The same while nothing is known yet."""
TRUSTED_SECONDS = 86_400.0
"""What is older is not believed: a key that leaked would else be good while its issuer is kept away from us."""
_DISCOVERY = "/.well-known/openid-configuration"


class ProviderMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider publishes of itself, as far as it is used (OpenID Connect Discovery, section 3)."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] | None = None
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """One for each issuer in a process. For event loops, one at a time."""

    def __init__(self, settings: OidcProvider, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._clock = clock
        self._metadata: ProviderMetadata | None = None
        self._keys: tuple[PublicKey, ...] = ()
        self._known_at = self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def key(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key that a token names; None when the issuer has none such. Raises Unavailable when nobody can tell."""
        age = self._clock() - self._known_at
        if age > FRESH_SECONDS:
            self._ask_when_due()
        if age <= TRUSTED_SECONDS and (known := choose(self._keys, kid, algorithm)) is not None:
            return known
        self._ask_when_due()
        await self._asked()
        if self._clock() - self._known_at > TRUSTED_SECONDS:
            raise Unavailable(f"the keys of the identity provider {self.settings.name} are not known just now")
        return choose(self._keys, kid, algorithm)

    async def metadata(self) -> ProviderMetadata:
        """What the provider publishes. Raises Unavailable."""
        if self._metadata is None or self._clock() - self._known_at > FRESH_SECONDS:
            self._ask_when_due()
        if self._metadata is None:
            await self._asked()
        if self._metadata is None:
            raise Unavailable(f"the identity provider {self.settings.name} does not answer just now")
        return self._metadata

    def _ask_when_due(self) -> None:
        pause = AGAIN_SECONDS if self._keys else FIRST_SECONDS
        if self._asking is None and self._clock() - self._asked_at >= pause:
            self._asked_at = self._clock()
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(self._done)

    async def _asked(self) -> None:
        """Waits for the question that is under way. Who leaves does not end it for the others."""
        if self._asking is not None:
            await asyncio.shield(self._asking)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._asking = None

    async def _ask(self) -> None:
        try:
            found = _metadata(self.settings, await self._get(self.settings.issuer.rstrip("/") + _DISCOVERY))
            keys = public_keys(await self._get(found.jwks_uri), self.settings.algorithms)
        except (Unavailable, ValueError) as error:
            log.warning("the keys of the identity provider %s could not be had: %s", self.settings.name, error)
            return
        if not keys:
            log.warning("the identity provider %s has no key that is of use here", self.settings.name)
        self._metadata, self._keys, self._known_at = found, keys, self._clock()

    async def _get(self, url: str) -> Any:
        status, body = await ask(self.settings, url)
        if status != 200:
            raise ValueError(f"{url[:200]} answers {status}")
        return body


def _metadata(settings: OidcProvider, body: Any) -> ProviderMetadata:
    """Raises ValueError: a document of another issuer would let that one vouch for this one's subjects."""
    found = msgspec.convert(body, ProviderMetadata)
    if found.issuer != settings.issuer:
        raise ValueError(
            f"it calls itself {found.issuer[:200]}: write the issuer exactly so, if it is the one you mean"
        )
    return found
