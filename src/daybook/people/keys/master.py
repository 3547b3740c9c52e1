"""Master keys: outside of every database, they seal the keys of people that are in one."""

import base64
import binascii
import hashlib
import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from daybook.errors import BadConfiguration

_BYTES = 32
_NONCE_BYTES = 12
_WHERE = "DAYBOOK_MASTER_KEY, or DAYBOOK_MASTER_KEY_FILE with the name of a file that holds it"


class MasterKeys(msgspec.Struct, frozen=True):
    """The master keys in force: the first one seals, all of them open. None at all: keys are kept as they are."""

    keys: tuple[bytes, ...] = ()

    @staticmethod
    def parsed(text: str | None) -> "MasterKeys":
        """Master keys from a setting, one a line, each 32 random bytes in base64. Raises BadConfiguration."""
        lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
        return MasterKeys(tuple(_parsed(line) for line in lines))

    @property
    def sealing(self) -> str | None:
        """The id of the one that seals; None without one."""
        return _id(self.keys[0]) if self.keys else None

    def wrap(self, person: str, key: bytes) -> bytes:
        """A person's key as it is kept: sealed and bound to the person, or as it is without a master key."""
        if not self.keys:
            return key
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.keys[0]).encrypt(nonce, key, _bound(person))

    def unwrap(self, person: str, kept: bytes, by: str | None) -> bytes:
        """A person's key. Raises BadConfiguration when the master key that sealed it is not at hand."""
        if by is None:
            return kept
        for one in self.keys:
            if _id(one) == by:
                try:
                    return AESGCM(one).decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], _bound(person))
                except (InvalidTag, ValueError):
                    break
        raise BadConfiguration(
            f"the key of person {person} is sealed with the master key {by}, which is not at hand or does not fit: "
            f"give it in {_WHERE}",
            person=person,
        )


def _parsed(line: str) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _BYTES:
        raise BadConfiguration(
            f"a master key must be {_BYTES} random bytes in base64, one a line (`openssl rand -base64 {_BYTES}` makes "
            f"one): put it into {_WHERE}",
            field="DAYBOOK_MASTER_KEY",
        )
    return key


def _id(key: bytes) -> str:
    """Tells master keys apart, and says nothing of them."""
    return hashlib.sha256(b"daybook master key\n" + key).hexdigest()[:16]


def _bound(person: str) -> bytes:
    return b"daybook person key\n" + person.encode()
