"""The form of an API key: `dbk_<id10>_<secret43><crc6>`. Pure: what is random is handed in.

The id is public and finds the key; the secret has 256 random bits; the check refuses a mistyped or cut key without a
look-up, and lets a scanner of secrets tell a key from a text that looks like one.
"""

import base64
import hashlib
import hmac
import re
import zlib

import msgspec

PREFIX = "dbk_"
ID_LENGTH, SECRET_LENGTH, CHECK_LENGTH = 10, 43, 6
SECRET_BYTES = 32
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(rf"(dbk_[a-z2-7]{{{ID_LENGTH}}})_([A-Za-z0-9_-]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})")
LOOKS_LIKE_KEY = re.compile(r"dbk_[a-z2-7]{10}_")
"""What must not stand in an address, a log line or a message."""
_SECRET = re.compile(r"(dbk_[a-z2-7]{10}_)[A-Za-z0-9_-]+")


class PresentedKey(msgspec.Struct, frozen=True):
    """A key as somebody shows it: well formed, which says nothing about whether it is one."""

    id: str
    """`dbk_…`, public."""
    secret: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"PresentedKey({self.id})"


def spelled(key_id: str, secret: bytes) -> str:
    """The whole key, as its owner gets it once."""
    body = f"{key_id}_{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}"
    return body + _check(body)


def parse(text: str) -> PresentedKey | None:
    """The key; None for what is none, a mistyped one included."""
    found = _FORM.fullmatch(text)
    if found is None or not hmac.compare_digest(_check(text[:-CHECK_LENGTH]), found[3]):
        return None
    return PresentedKey(found[1], found[2])


def without_secrets(text: str) -> str:
    """The same text, where of a key only its public id is left."""
    return _SECRET.sub(r"\1…", text)


def hash_of(secret: str) -> str:
    """What is kept of a secret. A slow hash is for passwords: nobody guesses 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, kept: str) -> bool:
    """Whether it is the secret, in a time that tells nothing about how much of it is right."""
    return hmac.compare_digest(hash_of(secret), kept)


def _check(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    while len(digits) < CHECK_LENGTH:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
