"""Bearer tokens: checked once, then known by their hash for a minute, and never longer than they hold."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from daybook.identity.provider import Provider
from daybook.identity.token import Subject, check_algorithm, check_claims, check_signature, refused, take_apart
from daybook.oidc_settings import OidcProvider

KNOWN_SECONDS = 60.0
"""So long a token that was checked is not checked again: a key that its issuer withdrew is then noticed."""
KNOWN_MAX = 10_000


class BearerTokens:
    """All issuers of a process. Says whom a token is about; who that is here, and what it may, is asked each time."""

    def __init__(self, providers: Sequence[OidcProvider], wall: Callable[[], float] = time.time) -> None:
        self.providers: Mapping[str, Provider] = {one.issuer: Provider(one) for one in providers}
        self._wall = wall
        self._known: OrderedDict[bytes, tuple[Subject, float]] = OrderedDict()

    @property
    def taken(self) -> bool:
        """Whether any issuer's bearer tokens are taken."""
        return any(one.settings.audiences for one in self.providers.values())

    async def subject(self, text: str) -> Subject:
        """Whom the token is about. Raises Unauthenticated with the class of the reason, and Unavailable."""
        name, now = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), time.monotonic()
        if (known := self._known.get(name)) is not None:
            subject, until = known
            if now < until and self._wall() < self._ends(subject):
                return subject
            del self._known[name]
        subject = await self._checked(text)
        self._known[name] = (subject, now + KNOWN_SECONDS)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return subject

    async def _checked(self, text: str) -> Subject:
        token = take_apart(text)
        provider = self.providers.get(token.issuer or "")
        if provider is None or not provider.settings.audiences:
            raise refused("wrong_issuer", "the token's issuer is none whose tokens are taken here")
        settings = provider.settings
        check_algorithm(token, settings)
        # Before any key is asked for: a token that is not for us anyway makes nobody ask.
        subject = check_claims(token, settings, settings.audiences, self._wall())
        key = await provider.key(token.kid, token.algorithm)
        if key is None:
            raise refused("unknown_key", "the token is signed with a key that its issuer does not have (`kid`)")
        check_signature(token, key, settings)
        return Subject(subject.issuer, subject.subject, subject.expires_at)

    def _ends(self, subject: Subject) -> float:
        return subject.expires_at + self.providers[subject.issuer].settings.leeway
