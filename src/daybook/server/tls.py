"""TLS for the API: a certificate and its key from files, read again when they are renewed."""

import logging
import ssl
from pathlib import Path

from daybook.errors import BadConfiguration

log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """The newest certificate that could be read. Connections that are open keep the one that they began with."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Raises BadConfiguration for files that hold no certificate with its key."""
        self._files = (cert, key)
        self._stamp = self._now()
        self.context = self._read()

    def refresh(self) -> None:
        """Reads the files again when they have changed. What can't be read is told once, and the present one stays."""
        stamp = self._now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.context = self._read()
        except BadConfiguration as error:
            # Renewed in two steps, the certificate and its key are not a pair for a moment.
            log.warning("the certificate that was in use stays: %s", error)
        else:
            log.info("new connections have the certificate that is now in %s", self._files[0])

    def _now(self) -> Stamp:
        try:
            return tuple((one.st_mtime_ns, one.st_ino, one.st_size) for one in (file.stat() for file in self._files))
        except OSError:
            return ()

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        cert, key = self._files
        try:
            # A key with a passphrase must not make the server wait for somebody to type it.
            context.load_cert_chain(cert, key, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "they are no pair"
            reason = getattr(error, "reason", None) or why
            raise BadConfiguration(
                f"{cert} and {key} give no certificate with its key ({reason}): DAYBOOK_TLS_CERT and DAYBOOK_TLS_KEY",
                field="DAYBOOK_TLS_CERT",
            ) from None
        return context
