"""Which projections there are: found by entry point, so another distribution can ship one."""

from importlib.metadata import entry_points

from daybook.channel.contract import Manifest
from daybook.errors import BadConfiguration, NotFound

ENTRY_POINTS = "daybook.projections"


class Registry:
    """The installed projections by name, in order of their names."""

    def __init__(self, manifests: list[Manifest]) -> None:
        self._manifests = {one.name: one for one in sorted(manifests, key=lambda one: one.name)}
        if len(self._manifests) != len(manifests):
            raise BadConfiguration("two installed projections have the same name: uninstall one of them")

    def all(self) -> list[Manifest]:
        """Every projection."""
        return list(self._manifests.values())

    def channels(self) -> list[Manifest]:
        """Those that are sales channels: they have a connector."""
        return [one for one in self._manifests.values() if one.connector is not None]

    def get(self, name: str) -> Manifest:
        """The projection of this name, or NotFound."""
        if name not in self._manifests:
            there = ", ".join(self._manifests) or "none"
            raise NotFound(f"there is no projection {name!r}; installed are: {there}", channel=name)
        return self._manifests[name]


def installed() -> Registry:
    """Every projection whose distribution is installed. A broken one stops the program and is named."""
    manifests: list[Manifest] = []
    for point in entry_points(group=ENTRY_POINTS):
        try:
            found = point.load()
        except Exception as error:
            raise BadConfiguration(f"the projection {point.name} ({point.value}) can't be loaded: {error!r}") from error
        if not isinstance(found, Manifest):
            raise BadConfiguration(f"the entry point {point.name} ({point.value}) is no Manifest")
        manifests.append(found)
    return Registry(manifests)
