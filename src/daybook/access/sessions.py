"""The form of what a browser shows: `ses_<id10>.<secret43>`, and the token against forged requests made of it. Pure."""

import base64
import hashlib
import hmac
import re

import msgspec

_FORM = re.compile(r"(ses_[a-z2-7]{10})\.[A-Za-z0-9_-]{43}")


class PresentedSession(msgspec.Struct, frozen=True):
    """What a browser shows: well formed, which says nothing about whether there is such a session."""

    session: str
    """`ses_…`, public."""
    shown: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"PresentedSession({self.session})"

    def forgery_token(self) -> str:
        """What our own pages send along with a change, and no page of another origin can know.

        It is made of the secret, so it is new with each login, and whoever sees it learns nothing of the secret.
        """
        return _text(hmac.digest(self.shown.encode(), b"daybook forgery token", "sha256"))


def spelled(session: str, secret: bytes) -> str:
    """What the browser gets, once."""
    return f"{session}.{_text(secret)}"


def parse_session(text: str) -> PresentedSession | None:
    """What the browser shows; None for what is no such thing."""
    found = _FORM.fullmatch(text)
    return None if found is None else PresentedSession(found[1], text)


def secret_hash_of(shown: str) -> str:
    """What is kept of it."""
    return hashlib.sha256(shown.encode()).hexdigest()


def matches(given: PresentedSession, kept: str) -> bool:
    """Whether it is the one, in a time that tells nothing about how much of it is right."""
    return hmac.compare_digest(secret_hash_of(given.shown), kept)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
