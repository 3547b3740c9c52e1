"""The settings, read once at the entry point. Nothing else reads the environment."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from daybook.errors import BadConfiguration

_SECRET = re.compile(r"(password=|://[^:/@]*:)([^@\s]+)")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One frozen struct. `postgres` and `nats` are None until the embedded servers have told where they are."""

    data: Path
    postgres: str | None = None
    nats: str | None = None
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    channels: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """Per channel, what its connector is told: base URL and credentials, from DAYBOOK_CHANNEL_<NAME>_<KEY>."""

    def require_postgres(self) -> str:
        """The connection string, or an error that says how to give one."""
        if not self.postgres:
            raise BadConfiguration("no Postgres server: set DAYBOOK_POSTGRES, or run `daybook up` to start one")
        return self.postgres

    def require_nats(self) -> str:
        """The NATS URL, or an error that says how to give one."""
        if not self.nats:
            raise BadConfiguration("no NATS server: set DAYBOOK_NATS, or run `daybook up` to start one")
        return self.nats

    def shown(self) -> dict[str, object]:
        """For people and logs: every secret masked."""
        plain = msgspec.to_builtins(self, builtin_types=(Path,))
        plain["data"] = str(self.data)
        plain["postgres"] = mask(self.postgres)
        plain["nats"] = mask(self.nats)
        plain["channels"] = {
            name: {key: value if key == "url" else "********" for key, value in given.items()}
            for name, given in self.channels.items()
        }
        return dict(plain)


def mask(url: str | None) -> str | None:
    """The same connection string with its password hidden."""
    return None if url is None else _SECRET.sub(r"\1********", url)


def from_environment(environ: Mapping[str, str], data: Path | None = None) -> Settings:
    """Settings from DAYBOOK_* variables; `data` (the --data option) wins over DAYBOOK_DATA."""
    port = environ.get("DAYBOOK_HTTP_PORT", "8080")
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise BadConfiguration(f"DAYBOOK_HTTP_PORT is {port!r}; it must be a port number", field="DAYBOOK_HTTP_PORT")
    channels: dict[str, dict[str, str]] = {}
    for name, value in environ.items():
        found = re.fullmatch(r"DAYBOOK_CHANNEL_([A-Z0-9]+)_([A-Z0-9_]+)", name)
        if found:
            channels.setdefault(found[1].lower(), {})[found[2].lower()] = value
    home = Path(environ.get("XDG_DATA_HOME") or Path(environ.get("HOME", ".")) / ".local" / "share")
    return Settings(
        data=(data or Path(environ.get("DAYBOOK_DATA") or home / "daybook")).expanduser().resolve(),
        postgres=environ.get("DAYBOOK_POSTGRES") or None,
        nats=environ.get("DAYBOOK_NATS") or None,
        http_host=environ.get("DAYBOOK_HTTP_HOST", "127.0.0.1"),
        http_port=int(port),
        channels=channels,
    )
