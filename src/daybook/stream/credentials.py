"""What a client shows a NATS server, and asks of it: a `.creds` file, an nkey, certificates."""

import ssl
from pathlib import Path
from typing import Any

from daybook.addresses import NatsServers
from daybook.errors import Unavailable

_CREDS_PARTS = ("BEGIN NATS USER JWT", "BEGIN USER NKEY SEED")


def proof(servers: NatsServers) -> dict[str, Any]:
    """Options of the client. Files are read now, and by the client again for each connection that it makes.

    Raises Unavailable for a file that can't be read or is of another kind: it may be put right while all is running.
    """
    found: dict[str, Any] = {}
    if servers.creds is not None:
        _check_creds(servers.creds)
        found["user_credentials"] = servers.creds
    if servers.nkey is not None:
        _check_nkey(servers.nkey)
        found["nkeys_seed"] = servers.nkey
    if servers.ca or servers.cert or any(url.startswith(("tls:", "wss:")) for url in servers.urls):
        found["tls"] = _tls(servers)
    return found


def _check_creds(file: str) -> None:
    """Hazard: the client (nats-py 2.16) reads a file that holds no JWT for ever, at the end of the file."""
    text = _read(file)
    if not all(part in text for part in _CREDS_PARTS):
        raise Unavailable(f"{file} is no .creds file of NATS: it must hold a user's JWT and the seed of its nkey")


def _check_nkey(file: str) -> None:
    seed = _read(file).strip()
    if not seed.startswith("SU"):
        raise Unavailable(f"{file} holds no seed of a user's nkey, which begins with SU")


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="ascii")
    except OSError as error:
        raise Unavailable(f"{file} can't be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise Unavailable(f"{file} is no text") from None


def _tls(servers: NatsServers) -> ssl.SSLContext:
    """Who vouches for the server must be known, its name must be in the certificate, and TLS is 1.2 or later."""
    try:
        context = ssl.create_default_context(cafile=servers.ca)
        if servers.cert is not None:
            context.load_cert_chain(servers.cert, servers.key)
    except (OSError, ssl.SSLError) as error:
        raise Unavailable(f"the certificates for NATS ({servers.ca or servers.cert}) can't be used: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
