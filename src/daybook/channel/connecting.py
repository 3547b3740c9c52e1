"""What a channel still needs before anything can be delivered to it."""

import re
from collections.abc import Mapping

from daybook.channel.contract import Connector, Manifest
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.errors import BadConfiguration, Refused

KEYS_MAX = 20
_STAND_IN = "not given yet"


def missing(manifest: Manifest, connection: Mapping[str, str]) -> tuple[str, ...]:
    """The keys without which the connector can't be made, as it says itself: its error names the variable.

    Nothing is sent: a connector opens its connections on first use.
    """
    if manifest.connector is None:
        return ()
    variable = re.compile(rf"DAYBOOK_CHANNEL_{re.escape(manifest.name.upper())}_([A-Z0-9_]*[A-Z0-9])")
    given = {key: value for key, value in connection.items() if value}
    found: list[str] = []
    for _ in range(KEYS_MAX):
        try:
            manifest.connector(given)
        except BadConfiguration as error:
            named = [key.lower() for key in variable.findall(error.message)]
            new = [key for key in named if key not in given]
            if not new:
                return tuple(found)  # it is about something else than a key that is not there
            found += new[:1]
            given[new[0]] = _STAND_IN
        except Exception:
            return tuple(found)  # it does not like a stand-in
        else:
            return tuple(found)
    return tuple(found)


def connected(registry: Registry, settings: Settings, name: str) -> Connector:
    """The channel's connector, as a worker has it. The caller closes it.

    Raises NotFound, Refused for a projection that is no channel, and BadConfiguration when its connection is not here.
    """
    manifest = registry.get(name)
    if manifest.connector is None:
        raise Refused(f"{name} is a read model: it has no connection to anything", channel=name)
    connection = settings.connection(name, registry.settings(name))
    if not connection:
        raise BadConfiguration(f"{name} is not connected: set {settings.place_of(name, 'url')}", channel=name)
    return manifest.connector(connection)


def places(registry: Registry, settings: Settings, name: str) -> dict[str, str]:
    """What this process does not see of the channel's connection: setting -> where to put it, for a person to read.

    Files that can't be read are no obstacle: everything but what was recorded is missing then.
    """
    try:
        connection: Mapping[str, str] = settings.connection(name, registry.settings(name))
    except BadConfiguration:
        connection = registry.settings(name)
    return {key: settings.place_of(name, key) for key in missing(registry.get(name), connection)}
