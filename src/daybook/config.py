"""The settings, read once at the entry point. Nothing else reads the environment.

Files that hold a channel's credentials are read when the channel starts, so that one may come while all is running.
"""

import logging
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec

from daybook import http_settings, oidc_settings, secret_command
from daybook.addresses import NATS_FILES, NATS_OPTIONS, check_postgres, mask, nats_servers, with_nats, with_postgres
from daybook.errors import BadConfiguration
from daybook.http_settings import HttpSettings
from daybook.oidc_settings import OidcProvider

log = logging.getLogger("daybook.config")

CREDENTIAL_BYTES_MAX = 64 * 1024
BESIDE_ADDRESSES = (
    *(f"DAYBOOK_POSTGRES_{name}" for name in ("FILE", "USER", "PASSWORD", "PASSWORD_FILE")),
    *(f"DAYBOOK_NATS_{name}" for name in ("FILE", "USER", "PASSWORD", "PASSWORD_FILE", "TOKEN", "TOKEN_FILE")),
    *(f"DAYBOOK_NATS_{name.upper()}" for name in NATS_OPTIONS),
)
"""Variables that say more of the two servers. An address that was made of them has all that they say."""
LOG_FORMS = ("text", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")
_warned: set[Path] = set()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One frozen struct. `postgres` and `nats` are None until the embedded servers have told where they are."""

    data: Path
    postgres: str | None = None
    nats: str | None = None
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    http: HttpSettings = HttpSettings()
    oidc: tuple[OidcProvider, ...] = ()
    """The identity providers that vouch for users."""
    log: str = "text"
    """How a role writes its log: `text` or `json`."""
    log_level: str = "info"
    keys_postgres: str | None = None
    """Where people's keys are; None: in the book's own database."""
    master_keys: str | None = None
    """What seals people's keys, one a line, the present one first; None: they are kept as they are."""
    erased_file: Path | None = None
    """Lists who was erased outside of the databases, so that it outlives a restore of them."""
    channels: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """Per channel, what its connector is told: base URL and credentials, from DAYBOOK_CHANNEL_<NAME>_<KEY>."""
    channel_files: dict[str, dict[str, Path]] = msgspec.field(default_factory=dict)
    """Per channel and key, the file that holds the value, from DAYBOOK_CHANNEL_<NAME>_<KEY>_FILE."""
    channel_commands: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """Per channel and key, the command that gives the value, from DAYBOOK_CHANNEL_<NAME>_<KEY>_COMMAND."""
    channels_folder: Path | None = None
    """Where a channel's settings may be in a file `<name>.toml`."""

    def connection(self, name: str, recorded: Mapping[str, str]) -> dict[str, str]:
        """What the channel's connector is told now: as `recorded`, unless files or commands do, unless variables do.

        Reads the files and runs the commands. Raises BadConfiguration for one that is named and gives nothing, never
        with what it holds.
        """
        found = dict(recorded)
        if self.channels_folder is not None:
            found |= _read_table(self.channels_folder / f"{name}.toml")
        for key, file in self.channel_files.get(name, {}).items():
            found[key] = _read(file).strip()
        for key, command in self.channel_commands.get(name, {}).items():
            found[key] = secret_command.ask(f"DAYBOOK_CHANNEL_{name.upper()}_{key.upper()}_COMMAND", command)
        return found | self.channels.get(name, {})

    def place_of(self, name: str, key: str) -> str:
        """Where to put the value of a channel's setting, for a person to read."""
        variable = f"DAYBOOK_CHANNEL_{name.upper()}_{key.upper()}"
        if self.channels_folder is None:
            return f"{variable}, or {variable}_FILE with the name of a file that holds it"
        return f"{variable}, or `{key}` in {self.channels_folder / f'{name}.toml'}"

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
        plain["http"] = msgspec.to_builtins(self.http, enc_hook=str)
        plain["oidc"] = [
            msgspec.to_builtins(one, enc_hook=str) | ({"client_secret": "********"} if one.client_secret else {})
            for one in self.oidc
        ]
        plain["postgres"] = mask(self.postgres)
        plain["nats"] = mask(self.nats)
        plain["erased_file"] = None if self.erased_file is None else str(self.erased_file)
        plain["keys_postgres"] = mask(self.keys_postgres)
        plain["master_keys"] = None if self.master_keys is None else "********"
        plain["channels"] = {
            name: {key: mask(value) if key == "url" else "********" for key, value in given.items()}
            for name, given in self.channels.items()
        }
        plain["channel_files"] = {
            name: {key: str(file) for key, file in files.items()} for name, files in self.channel_files.items()
        }
        plain["channel_commands"] = {
            name: dict.fromkeys(given, "********") for name, given in self.channel_commands.items()
        }
        plain["channels_folder"] = None if self.channels_folder is None else str(self.channels_folder)
        return plain


def from_environment(environ: Mapping[str, str], data: Path | None = None) -> Settings:
    """Settings from DAYBOOK_* variables; `data` (the --data option) wins over DAYBOOK_DATA."""
    port = environ.get("DAYBOOK_HTTP_PORT", "8080")
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 <= int(port) <= 65535:
        raise BadConfiguration(f"DAYBOOK_HTTP_PORT is {port!r}; it must be a port number", field="DAYBOOK_HTTP_PORT")
    channels: dict[str, dict[str, str]] = {}
    files: dict[str, dict[str, Path]] = {}
    commands: dict[str, dict[str, str]] = {}
    for name, value in environ.items():
        found = re.fullmatch(r"DAYBOOK_CHANNEL_([A-Z0-9]+)_([A-Z0-9_]+)", name)
        if found and found[2].endswith("_FILE"):
            files.setdefault(found[1].lower(), {})[found[2].removesuffix("_FILE").lower()] = Path(value)
        elif found and found[2].endswith("_COMMAND"):
            commands.setdefault(found[1].lower(), {})[found[2].removesuffix("_COMMAND").lower()] = value
        elif found:
            channels.setdefault(found[1].lower(), {})[found[2].lower()] = value
    postgres = _postgres(environ)
    if keys := _secret(environ, "DAYBOOK_KEYS_POSTGRES"):
        check_postgres("DAYBOOK_KEYS_POSTGRES", keys)
    log_as = _one_of("DAYBOOK_LOG", environ.get("DAYBOOK_LOG") or "text", LOG_FORMS)
    level = _one_of("DAYBOOK_LOG_LEVEL", environ.get("DAYBOOK_LOG_LEVEL") or "info", LOG_LEVELS)
    folder = environ.get("DAYBOOK_CHANNELS")
    home = Path(environ.get("XDG_DATA_HOME") or Path(environ.get("HOME", ".")) / ".local" / "share")
    data = (data or Path(environ.get("DAYBOOK_DATA") or home / "daybook")).expanduser().resolve()
    # Beside embedded servers; where the servers are elsewhere, a data folder may be on one machine of many.
    erased = environ.get("DAYBOOK_ERASED_FILE") or (None if postgres else data / "erased-people")
    return Settings(
        data=data,
        postgres=postgres,
        nats=_nats(environ),
        http_host=environ.get("DAYBOOK_HTTP_HOST", "127.0.0.1"),
        http_port=int(port),
        http=http_settings.from_environment(environ),
        oidc=oidc_settings.from_environment(environ, partial(_secret, environ)),
        log=log_as,
        log_level=level,
        keys_postgres=keys or None,
        master_keys=_secret(environ, "DAYBOOK_MASTER_KEY"),
        erased_file=Path(erased).expanduser() if erased else None,
        channels=channels,
        channel_files=files,
        channel_commands=commands,
        channels_folder=Path(folder).expanduser().resolve() if folder else None,
    )


def _postgres(environ: Mapping[str, str]) -> str | None:
    """The connection string, with the user and the password that stand beside it."""
    name = "DAYBOOK_POSTGRES"
    user, password = environ.get(f"{name}_USER") or None, _secret(environ, f"{name}_PASSWORD")
    address = _secret(environ, name)
    if address is None:
        _refuse_alone(name, {f"{name}_USER": user, f"{name}_PASSWORD": password})
        return None
    check_postgres(name, address)
    return with_postgres(address, user, password)


def _nats(environ: Mapping[str, str]) -> str | None:
    """The servers' addresses, with what stands beside them: who one is, what proves it, how the stream is kept."""
    name = "DAYBOOK_NATS"
    options = {key: environ[f"{name}_{key.upper()}"] for key in NATS_FILES if environ.get(f"{name}_{key.upper()}")}
    for key, file in options.items():
        _check_readable(f"{name}_{key.upper()}", Path(file))
    for key in ("replicas", "inbox"):
        if value := environ.get(f"{name}_{key.upper()}"):
            options[key] = value
    user = environ.get(f"{name}_USER") or None
    password, token = _secret(environ, f"{name}_PASSWORD"), _secret(environ, f"{name}_TOKEN")
    address = _secret(environ, name)
    if address is None:
        _refuse_alone(name, {f"{name}_USER": user, f"{name}_PASSWORD": password, f"{name}_TOKEN": token})
        return None
    if user or password or token or options:
        return with_nats(name, address, user, password, token, options)
    nats_servers(name, address)
    return address


def _secret(environ: Mapping[str, str], name: str) -> str | None:
    """What a variable says, or the file that NAME_FILE names; None for neither and for nothing."""
    value, file = environ.get(name), environ.get(f"{name}_FILE")
    if value and file:
        raise BadConfiguration(f"{name} and {name}_FILE are both set; keep one of them", field=name)
    return value or (_read(Path(file)).strip("\r\n") if file else None) or None


def _refuse_alone(name: str, beside: Mapping[str, str | None]) -> None:
    for variable, value in beside.items():
        if value:
            raise BadConfiguration(f"{variable} is set and {name} is not: say where the server is", field=name)


def _check_readable(variable: str, file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise BadConfiguration(f"{variable}: {file} can't be read: {error.strerror}", field=variable) from None


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value.lower() not in known:
        raise BadConfiguration(f"{name} is {value!r}; it must be one of {', '.join(known)}", field=name)
    return value.lower()


def hide(text: str, connection: Mapping[str, str]) -> str:
    """The text without the values of a connection that may be secret, should a library have put one into its error."""
    for key, value in connection.items():
        if key != "url" and len(value) >= 6:
            text = text.replace(value, "********")
    return mask(text) or ""


def _read_table(file: Path) -> dict[str, str]:
    """A channel's file: `key = "value"` lines. No file is no settings."""
    try:
        file.stat()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadConfiguration(f"{file} can't be read: {error.strerror}", file=str(file)) from None
    try:
        table = tomllib.loads(_read(file))
    except tomllib.TOMLDecodeError as error:
        # The parser may quote what it stumbled over: only the place is told.
        place = re.search(r"\(at ([^)]+)\)\Z", str(error))
        raise BadConfiguration(
            f'{file} is no TOML ({place[1] if place else "somewhere"}): write one `key = "value"` a line',
            file=str(file),
        ) from None
    found: dict[str, str] = {}
    for key, value in table.items():
        if not isinstance(value, str | int | bool):
            raise BadConfiguration(f"{file}: {key} must be a text, a whole number or true or false", file=str(file))
        found[key.lower()] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > CREDENTIAL_BYTES_MAX:
            raise BadConfiguration(f"{file} is too large to hold settings or a secret", file=str(file))
        _warn_if_open(file)
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadConfiguration(f"{file} can't be read: {error.strerror}", file=str(file)) from None
    except UnicodeDecodeError:
        raise BadConfiguration(f"{file} is not UTF-8", file=str(file)) from None


def _warn_if_open(file: Path) -> None:
    """Once for each file: everybody on the machine may read the credential."""
    if os.name != "nt" and file not in _warned and file.stat().st_mode & stat.S_IROTH:
        _warned.add(file)
        log.warning("%s can be read by others: `chmod 600 %s` keeps its credentials to its owner", file, file)
