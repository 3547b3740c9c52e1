"""Sealing what is known of a person: AES-256-GCM under the person's own key, bound to its place.

The library is `cryptography`; the mode and its limits are of NIST SP 800-38D. A nonce is 96 random bits, new each time:
one key would have to seal four thousand million times before a nonce came again with a chance worth naming.

Hazard: ciphertext can be moved. Who can write to the table could put one person's row under another's id, or bring an
older row back. So everything that says where a row belongs is authenticated with it, and a moved row does not open.
"""

import hashlib
import hmac
import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from daybook.errors import DaybookError
from daybook.people.person import Person

FORM = 1
"""Of what is sealed and how, the first byte. It is raised when either changes; older ones are opened for ever."""
KEY_BYTES = 32
_NONCE_BYTES = 12
_decoder = msgspec.json.Decoder(Person)


class SealBroken(DaybookError):
    """What is kept of a person is not what was sealed: another row, another key, or altered bytes."""

    code = "seal_broken"


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a sealed row belongs: authenticated with it."""

    person: str
    revision: str
    fields: tuple[str, ...]


def new_key() -> bytes:
    """A random key of 256 bits."""
    return AESGCM.generate_key(KEY_BYTES * 8)


def seal(key: bytes, place: Place, person: Person) -> bytes:
    """The person, sealed for this place: form, nonce, ciphertext with its tag."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    body = AESGCM(key).encrypt(nonce, msgspec.json.encode(person), _bound(FORM, place))
    return bytes((FORM,)) + nonce + body


def unseal(key: bytes, place: Place, sealed: bytes) -> Person:
    """The person that was sealed for this place. Raises SealBroken for anything else."""
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        if sealed[:1] != bytes((FORM,)):
            raise SealBroken(f"what is kept of person {place.person} has a form that this Daybook does not know")
        return _decoder.decode(AESGCM(key).decrypt(nonce, body, _bound(FORM, place)))
    except (InvalidTag, ValueError, msgspec.DecodeError):
        # Not what came up inside: an error of the decoder could quote what was sealed.
        raise SealBroken(
            f"what is kept of person {place.person} does not open: the row was altered, stands in another's place, or "
            "its key is another one. Restore the row, or its key, from a backup; or erase the person",
            person=place.person,
        ) from None


def seal_bytes(key: bytes, place: tuple[str, ...], body: bytes) -> bytes:
    """Bytes that tell of a person, sealed for the place that these names make up."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return bytes((FORM,)) + nonce + AESGCM(key).encrypt(nonce, body, _bytes_bound(place))


def unseal_bytes(key: bytes, place: tuple[str, ...], sealed: bytes) -> bytes:
    """The bytes that were sealed for this place. Raises SealBroken for anything else."""
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        if sealed[:1] == bytes((FORM,)):
            return AESGCM(key).decrypt(nonce, body, _bytes_bound(place))
    except (InvalidTag, ValueError):
        pass
    raise SealBroken(f"what is kept of {place[-1]} does not open: the row, or its key, was altered")


def keyed_mark(key: bytes, values: msgspec.Struct) -> int:
    """A signed 64-bit mark of these values that only the key's holder can make, or guess values from.

    It tells a retry from another command. Without the key, a mark of a phone number in the log would give the number
    to whoever tries all of them; with the key destroyed, it says nothing.
    """
    body = msgspec.json.encode(values, order="deterministic")
    tag = hmac.new(key, b"daybook mark\n" + body, hashlib.sha256).digest()
    return int.from_bytes(tag[:8], "big", signed=True)


def _bound(form: int, place: Place) -> bytes:
    return msgspec.json.encode(("daybook person", form, place))


def _bytes_bound(place: tuple[str, ...]) -> bytes:
    return msgspec.json.encode(("daybook bytes", FORM, place))
