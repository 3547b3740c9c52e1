"""What can be read only once, such as a pipe, kept so that it can be checked first and read afterwards."""

import shutil
import tempfile
from typing import IO


def spooled(source: IO[bytes]) -> IO[bytes]:
    """A temporary file with the same content, at its beginning. It goes when it is closed."""
    spool = tempfile.NamedTemporaryFile()  # noqa: SIM115 - closed by whoever reads it
    shutil.copyfileobj(source, spool)
    spool.flush()
    spool.seek(0)
    return spool
