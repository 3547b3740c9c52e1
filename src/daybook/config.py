"""The settings, read once at the entry point. Nothing else reads the environment."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from daybook.errors import BadConfiguration

# `scheme://user:secret@`, also among several servers; the user of a NATS URL that has no colon, which is a token; a
# keyword `password=`, quoted or not. A port after a host is no secret: nothing with an @ follows it.
_SECRETS = (
    re.compile(r"(://[^:/?#@\s,]*:)[^/?#\s,]+(?=@)"),
    re.compile(r"((?:nats|tls|wss?)://)[^:/?#@\s,]+(?=@)"),
    re.compile(r"(\w*password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^&\s]+)"),
)


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
        plain = msgspec.structs.asdict(self)
        plain["data"] = str(self.data)
        plain["postgres"] = mask(self.postgres)
        plain["nats"] = mask(self.nats)
        plain["channels"] = {
            name: {key: mask(value) if key == "url" else "********" for key, value in given.items()}
            for name, given in self.channels.items()
        }
        return plain


def mask(url: str | None) -> str | None:
    """The same connection string with its password hidden."""
    for secret in _SECRETS:
        url = url and secret.sub(r"\1********", url)
    return url


def from_environment(environ: Mapping[str, str], data: Path | None = None) -> Settings:
    """Settings from DAYBOOK_* variables; `data` (the --data option) wins over DAYBOOK_DATA."""
    port = environ.get("DAYBOOK_HTTP_PORT", "8080")
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 <= int(port) <= 65535:
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
