"""All of Daybook on one machine: the servers and every role as processes that are started again when they die."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from msgspec.structs import replace

from daybook.addresses import mask
from daybook.app import App
from daybook.channel.registry import Registry, installed
from daybook.config import BESIDE_ADDRESSES, Settings
from daybook.demo.marketplaces import Marketplaces
from daybook.embedded.server_supervisor import ServerSupervisor
from daybook.embedded.servers import Servers
from daybook.embedded.supervisor import Supervisor, sigterm_interrupts
from daybook.errors import BadConfiguration, Unavailable
from daybook.postgres import roles
from daybook.postgres.migrate import migrate
from daybook.runtime.keys import migrated_keys, replay_erasures
from daybook.stream.permissions import USERS
from daybook.terminal.carry_out import actor
from daybook.terminal.context import connected, settings
from daybook.terminal.key import file
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line, note, stacked

ROLES = ("relay", "project", "deliver", "intake", "clock", "api")
READY_SECONDS_MAX = 60.0
_CHANNEL = "DAYBOOK_CHANNEL_"
_PEOPLE, _LOGIN = ("DAYBOOK_MASTER_KEY", "DAYBOOK_KEYS_POSTGRES"), ("DAYBOOK_OIDC_", "DAYBOOK_TLS_")
_UNUSED: dict[str, tuple[str, ...]] = {
    "relay": (_CHANNEL, "DAYBOOK_CHANNELS", *_PEOPLE, *_LOGIN),
    "project": (_CHANNEL, "DAYBOOK_CHANNELS", *_PEOPLE, *_LOGIN),
    "deliver": _LOGIN,
    "intake": _LOGIN,
    "clock": (_CHANNEL, "DAYBOOK_CHANNELS", *_PEOPLE, *_LOGIN),
    "api": (),
}
"""Role -> beginnings of the variables that it is not told."""


def up(common: CommonOptions, port: int | None, channels: tuple[str, ...], sandboxes: bool) -> None:
    """Starts everything, says where it is, and stops it in order at Ctrl-C or SIGTERM.

    Raises FolderInUse, BadConfiguration for a port that is taken, NotFound for an unknown channel, and Unavailable.
    """
    registry = installed()
    chosen = [one for one in registry.all() if not channels or one.name in channels]
    # What is not installed may have been added: the log knows, as soon as there is a server to ask.
    added = [name for name in channels if name not in [one.name for one in chosen]]
    if added:
        _check(connected(common), added)
    found = settings(common)
    with sigterm_interrupts(), contextlib.ExitStack() as stack:
        found = replace(found, http_port=free_port(found.http_host, found.http_port if port is None else port))
        note(common, f"starting on {found.data}")
        users = {name: permitted.of(name) for name, permitted in USERS.items()}
        started = stack.enter_context(
            Servers.start(found.data, postgres=found.postgres, nats=found.nats, users=users, roles=roles.NAMES)
        )
        found = replace(found, postgres=started.postgres_dsn, nats=started.nats_url)
        migrate(started.postgres_dsn)
        migrated_keys(found)
        if started.postgres is not None:
            roles.make_roles(started.postgres_dsn)
        replay_erasures(common, found)
        _check(found, channels)
        key = _first_owner(found, common)
        boxes = stack.enter_context(marketplaces(Registry(chosen) if sandboxes else Registry([])))
        folder = stack.enter_context(connections(found.data, boxes)) if boxes else None
        supervisor = Supervisor(found.data, lambda said: note(common, said))
        stack.callback(supervisor.stop)
        environment = role_environment({**common.environ, **boxes}, found, channels)
        for name in ROLES:
            addresses = role_addresses(name, started)
            only = [f"--only={one}" for one in channels] if name in ("project", "deliver", "intake") else []
            # -P: a file in the present folder that is called like a module must not be taken for it.
            told = needed_by(name, environment, registry) | addresses
            supervisor.run(name, [sys.executable, "-P", "-m", "daybook", "run", name, *only], told)

        def move() -> None:
            supervisor.change_environments({name: role_addresses(name, started) for name in ROLES})

        stack.enter_context(ServerSupervisor(started, lambda said: note(common, said), move))
        wait_ready(found)
        said = _told(found, supervisor, boxes, folder) | {"key": key, "key_file": _key_file(found)}
        answer(common, said, _shown(said))
        supervisor.wait()
        note(common, "stopped")


def _first_owner(found: Settings, common: CommonOptions) -> str | None:
    """The key of the owner that is made when the book has nobody yet; None when it has."""
    with App(found) as app:
        return file.make_first(app, found.data, actor(common))


def _key_file(found: Settings) -> str | None:
    there = file.path(found.data)
    return str(there) if there.exists() else None


def _check(found: Settings, channels: Sequence[str]) -> None:
    """Raises NotFound for a channel that is neither installed nor added, when there is a server that knows."""
    if found.postgres is None or not channels:
        return
    with App(found) as app:
        for name in channels:
            app.registry.get(name)


def role_environment(environ: Mapping[str, str], found: Settings, channels: tuple[str, ...]) -> dict[str, str]:
    """What the roles are told. With `channels`, no other channel has a connection, so nothing is delivered to it."""
    wanted = tuple(f"{_CHANNEL}{name.upper()}_" for name in channels) or (_CHANNEL,)
    kept = {name: one for name, one in environ.items() if not name.startswith(_CHANNEL) or name.startswith(wanted)}
    return kept | {
        "DAYBOOK_DATA": str(found.data),
        "DAYBOOK_HTTP_HOST": found.http_host,
        "DAYBOOK_HTTP_PORT": str(found.http_port),
        **({"DAYBOOK_ERASED_FILE": str(found.erased_file)} if found.erased_file else {}),
        # An empty variable is one that is not set: what the address has already must not be said beside it again.
        **dict.fromkeys(BESIDE_ADDRESSES, ""),
        "DAYBOOK_POSTGRES": found.require_postgres(),
        "DAYBOOK_NATS": found.require_nats(),
    }


def needed_by(name: str, environment: Mapping[str, str], registry: Registry) -> dict[str, str]:
    """What of it a role needs: credentials of channels, people's keys and logins are not for those who don't use them.

    The intake is told of those channels alone that can let their orders in, and of those that may yet be added. The API
    is told of all channels, so that it can say what one still lacks.
    """
    unused = _UNUSED[name]
    if name == "intake":
        unused += tuple(f"{_CHANNEL}{one.name.upper()}_" for one in registry.all() if one.orders is None)
    return {variable: one for variable, one in environment.items() if not variable.startswith(unused)}


def role_addresses(name: str, started: Servers) -> dict[str, str]:
    """Where a role finds the servers: those that were started here know it as one that may do its work and no more."""
    return {
        "DAYBOOK_POSTGRES": started.postgres_dsn_of(roles.name_of(roles.OF_PROCESS[name])),
        "DAYBOOK_NATS": started.nats_url_of(name),
    }


@contextlib.contextmanager
def marketplaces(registry: Registry) -> Iterator[dict[str, str]]:
    """The sandboxes of these channels, in a thread of this process, and what the delivery must be told of them."""
    if not registry.channels():
        yield {}
        return
    boxes = Marketplaces(registry)
    try:
        yield boxes.environment()
    finally:
        boxes.stop()


@contextlib.contextmanager
def connections(data: Path, boxes: Mapping[str, str]) -> Iterator[Path]:
    """A folder for DAYBOOK_CHANNELS, so that a command in another shell finds the sandboxes too; gone at the end."""
    folder = data / "sandboxes"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    told: dict[str, list[str]] = {}
    for variable, value in boxes.items():
        name, _, key = variable.removeprefix(_CHANNEL).lower().partition("_")
        told.setdefault(name, []).append(f"{key} = {json.dumps(value)}\n")
    for name, lines in told.items():
        file = folder / f"{name}.toml"
        file.touch(mode=0o600)
        file.write_text("".join(lines))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises BadConfiguration when it can't be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as taken:
            return int(taken.getsockname()[1])
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
        raise BadConfiguration(
            f"port {port} of {host} {why}: give another with --port or DAYBOOK_HTTP_PORT", port=port, host=host
        ) from error


def wait_ready(found: Settings) -> None:
    """Returns when the API takes connections. Raises Unavailable when it does not come up."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(found.http_host, found.http_host)
    deadline = time.monotonic() + READY_SECONDS_MAX
    while True:
        try:
            socket.create_connection((host, found.http_port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"the API did not come up within {READY_SECONDS_MAX:.0f} s: see {found.data / 'logs' / 'api.log'}"
                ) from None
            time.sleep(0.05)


def _told(found: Settings, supervisor: Supervisor, boxes: Mapping[str, str], folder: Path | None) -> dict[str, Any]:
    host = f"[{found.http_host}]" if ":" in found.http_host else found.http_host
    return {
        "url": f"{found.http.scheme}://{host}:{found.http_port}",
        "data": str(found.data),
        "logs": str(found.data / "logs"),
        "postgres": mask(found.postgres),
        "nats": mask(found.nats),
        "pid": os.getpid(),
        "roles": supervisor.pids(),
        "connections": str(folder) if folder else None,
        "sandboxes": {
            name.removeprefix(_CHANNEL).removesuffix("_URL").lower(): url
            for name, url in boxes.items()
            if name.endswith("_URL")
        },
    }


def _shown(told: dict[str, Any]) -> Callable[..., None]:
    rows = [
        ("API", f"{told['url']}  (every route: {told['url']}/schema)"),
        ("data", told["data"]),
        ("logs", told["logs"]),
        *([("key", f"{told['key']}  (shown this once; `daybook key local` has it)")] if told["key"] else []),
        *(
            (f"{name} sandbox", f"{url}  (what it shows: {urljoin(url, '/_sandbox/shown')})")
            for name, url in told["sandboxes"].items()
        ),
        *([("other shells", f"export DAYBOOK_CHANNELS={told['connections']}")] if told["connections"] else []),
    ]
    width = max(len(name) for name, _ in rows)
    return stacked(
        line("Daybook is running; Ctrl-C stops it."), *(line(f"  {name:<{width}}  {where}") for name, where in rows)
    )
