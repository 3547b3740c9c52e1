"""Users of the NATS server of a data folder that were added at run time: other systems that send commands."""

import json
import os
import secrets
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daybook.embedded import processes
from daybook.errors import NotFound

_PASSWORD_BYTES = 24


def entries(data: Path) -> list[dict[str, object]]:
    """As the server's configuration has them."""
    return [{"user": name, **one} for name, one in _known(data).items()]


def add(data: Path, name: str, permitted: Mapping[str, list[str]]) -> tuple[str, bool]:
    """Adds a user with these permissions, or gives the one that there is: its address, and whether a server runs there.

    A server that runs is told, and no connection ends. Raises NotFound when the folder has no server.
    """
    data = data.resolve()
    try:
        settings: dict[str, Any] = json.loads((data / "nats.conf").read_text())
        port = int((data / "nats.port").read_text())
    except (OSError, ValueError):
        raise NotFound(f"{data} has no NATS server yet: start it once with `daybook up`", data=str(data)) from None
    known = _known(data)
    password = known.get(name, {}).get("password") or secrets.token_urlsafe(_PASSWORD_BYTES)
    known[name] = {"password": password, "permissions": dict(permitted)}
    processes.write_whole(data / "nats.senders", json.dumps(known, indent=2) + "\n")
    others = [one for one in settings["authorization"]["users"] if one["user"] != name]
    settings["authorization"]["users"] = [*others, {"user": name, **known[name]}]
    processes.write_whole(data / "nats.conf", json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
    running = processes.find("nats-server", processes.mark(data))
    for process in running:
        os.kill(process.pid, signal.SIGHUP)
    return f"nats://{name}:{password}@{settings['host']}:{port}", bool(running)


def _known(data: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads((data / "nats.senders").read_text())
    except (OSError, ValueError):
        return {}
    return known
