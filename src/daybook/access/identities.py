"""What is kept of an identity provider's subject. Pure.

A provider may call its subjects by mail addresses, and the log is never changed: so it has a hash of them. Who has the
log and guesses an address can see that it was right; who reads the log reads nobody's address.
"""

import hashlib

import msgspec

PREFIX = "oid_"


class IssuedSubject(msgspec.Struct, frozen=True):
    """Whom an issuer vouches for. Two issuers may give different people the same subject."""

    issuer: str
    subject: str

    def hashed(self) -> str:
        """What the log has of it. The length stands between, so that no two pairs are written alike."""
        text = f"{len(self.issuer)}:{self.issuer}{self.subject}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
