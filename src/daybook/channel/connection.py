"""What a channel still needs before anything can be delivered to it."""

from collections.abc import Mapping

from daybook.channel.contract import Connector, Manifest
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
    connection = connection_of(registry, settings, manifest)
    if not connection:
        raise BadConfiguration(f"{name} is not connected: set {settings.place_of(name, 'url')}", channel=name)
    return manifest.connect(connection)


def places(registry: Registry, settings: Settings, name: str) -> dict[str, str]:
    """What this process does not see of the channel's connection: setting -> where to put it, for a person to read.

    Files that can't be read are no obstacle: everything but what was recorded is missing then.
    """
    manifest = registry.get(name)
    try:
        connection: Mapping[str, str] = connection_of(registry, settings, manifest)
    except BadConfiguration:
        connection = recorded(registry, manifest)
    return {key: settings.place_of(name, key) for key in manifest.lacks(connection)}


def connection_of(registry: Registry, settings: Settings, manifest: Manifest) -> dict[str, str]:
    """What the channel's connector is told now. Raises BadConfiguration for a file that can't be read."""
    return settings.connection(manifest.name, recorded(registry, manifest))


def recorded(registry: Registry, manifest: Manifest) -> dict[str, str]:
    """What the connector is told by the log.

    Hazard: whoever may add channels writes it. Were an address taken from here, credentials that the operator put into
    a file would go to whom the sender of a request likes; books from before that rule hold such settings.
    """
    allowed = manifest.recordable()
    return {key: value for key, value in registry.settings(manifest.name).items() if key in allowed}
