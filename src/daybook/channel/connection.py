"""What a channel still needs before anything can be delivered to it."""

from collections.abc import Mapping

from daybook.channel.contract import Connector
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.errors import BadConfiguration, Refused


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
    return manifest.connect(connection)


def places(registry: Registry, settings: Settings, name: str) -> dict[str, str]:
    """What this process does not see of the channel's connection: setting -> where to put it, for a person to read.

    Files that can't be read are no obstacle: everything but what was recorded is missing then.
    """
    try:
        connection: Mapping[str, str] = settings.connection(name, registry.settings(name))
    except BadConfiguration:
        connection = registry.settings(name)
    return {key: settings.place_of(name, key) for key in registry.get(name).lacks(connection)}
