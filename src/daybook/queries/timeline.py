"""What every product was at a position: looked up in the timeline where that covers it, else folded from the log.

Both give the same, so an answer is never wrong, only slower. The timeline covers a position when its live generation
has come that far, was made by the code that is installed, and has left nothing out.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

import msgspec

from daybook.catalogue.reference import EMPTY
from daybook.channel.contract import Manifest, Payload
from daybook.channel.registry import Registry
from daybook.commands import DescribeProduct
from daybook.errors import BadConfiguration
from daybook.events import Recorded
from daybook.log.reader import Reader
from daybook.postgres.pool import Pool, fetch
from daybook.projection import folding
from daybook.projection.generations import Generation
from daybook.projection.versions import QUERIES, Versions
from daybook.queries.reach import Within
from daybook.queries.walk import Walk

NAME = "timeline"
GROUP = "group"
RANK = "rank"
PAGE_GROUPS = 500


class GroupThen(msgspec.Struct, frozen=True):
    """A product group at a position."""

    key: str
    listing: Mapping[tuple[str, str], Payload]
    """(SKU, facet) -> fields of the SKU's description; under (key, `group`) what the group is found by."""

    def descriptions(self) -> list[DescribeProduct]:
        """Every product of the group, complete: models from the root down, then what is sold, in order of creation."""
        merged: dict[str, dict[str, Any]] = {}
        for (sku, facet), payload in self.listing.items():
            if facet != GROUP:
                merged.setdefault(sku, {"prices": [], "stock": {}}).update(payload)
        ranks = {sku: fields.pop(RANK) for sku, fields in merged.items()}
        found = {sku: msgspec.convert(fields, DescribeProduct) for sku, fields in merged.items()}

        def depth(one: DescribeProduct) -> int:
            above, parent = 1, one.parent
            while parent and parent in found:
                above, parent = above + 1, found[parent].parent
            return above

        return sorted(found.values(), key=lambda one: (one.kind != "model", depth(one), ranks[one.sku]))

    def facts(self) -> Mapping[str, list[str]]:
        """Of all its products together: `families`, `categories`, `listed_on`, each sorted."""
        return self.listing.get((self.key, GROUP), {})

    def matches(self, wanted: Mapping[str, str], within: Within | None = None) -> bool:
        """Whether the group has each of these values (`families`, `categories`, `listed_on`), and is within reach."""
        facts = self.facts()
        if within is not None and not within.holds(facts):
            return False
        return all(value in facts.get(field, ()) for field, value in wanted.items())


class PageOfGroups(msgspec.Struct, frozen=True):
    """Some groups, and the key behind which the next page begins; None on the last one."""

    groups: list[GroupThen]
    next: str | None


class Past(Protocol):
    """The catalogue at one position."""

    position: int
    indexed: bool
    """Whether it is looked up."""
    reason: str | None
    """Why it is not."""

    def page(self, after: str, limit: int, wanted: Mapping[str, str], within: Within | None = None) -> PageOfGroups:
        """The groups that match, in the database's order of their keys: at most `limit` behind the key `after`.

        Those outside of `within` are left out before the page is cut.

        A page may have fewer, or none, while there is a next one: what one call does is bounded.
        """
        ...


def catalogue_at(pool: Pool, reader: Reader, registry: Registry, position: int) -> Past:
    """The catalogue at a position of the log. Two indexed statements, or three inside a command."""
    found = next((one for one in registry.all() if one.name == NAME and one.keeps_history), None)
    if found is None:
        return Folded(reader, None, position, "the projection timeline is not installed")
    generation, reason = _covers(pool, found, position)
    if generation is None:
        return Folded(reader, found, position, reason)
    return Indexed(pool, reader, found, generation, position)


def groups(then: Past) -> Iterator[GroupThen]:
    """All of them, a page in memory at a time."""
    after: str | None = ""
    while after is not None:
        page = then.page(after, PAGE_GROUPS, {})
        yield from page.groups
        after = page.next


def _covers(pool: Pool, manifest: Manifest, position: int) -> tuple[Generation | None, str]:
    rows = fetch(
        pool,
        QUERIES["coverage"],
        {"upto": position, "stream": f"projection/{manifest.name}", "projection": manifest.name},
    )
    if not rows:
        return None, "the timeline has never run here: start it with `daybook up`"
    live, at, version, kept, parked, discarded = rows[0]
    reason = ""
    if at < position:
        reason = f"the timeline is at position {at} only"
    elif version != manifest.version or not kept:
        reason = "the timeline was filled by other code than this: rebuild it"
    elif parked or discarded:
        reason = "the timeline has left out what it could not fold"
    return (None, reason) if reason else (Generation(manifest.name, live), "")


class Folded:
    """By folding each group's events: always right."""

    indexed = False

    def __init__(self, reader: Reader, manifest: Manifest | None, position: int, reason: str | None = None) -> None:
        self._reader = reader
        self._manifest = manifest
        self.position = position
        self.reason = reason

    def page(self, after: str, limit: int, wanted: Mapping[str, str], within: Within | None = None) -> PageOfGroups:
        """Reads group after group until the page is full, or one request's work is done.

        Raises BadConfiguration when the timeline is not installed: it is its code that says what a group shows.
        """
        walk = Walk(self._reader, after, self.position)
        found: list[GroupThen] = []
        for key, events in walk:
            one = self._group(key, events)
            if one is not None and one.matches(wanted, within):
                found.append(one)
            if len(found) > limit:
                return PageOfGroups(found[:limit], found[limit - 1].key)
        return PageOfGroups(found, None if walk.ended else walk.at)

    def group(self, key: str) -> GroupThen | None:
        """One group, by the timeline's own fold and rendering; None when nothing of it is shown."""
        return self._group(key, self._reader.of_key(key, self.position))

    def _group(self, key: str, events: Sequence[Recorded]) -> GroupThen | None:
        if self._manifest is None:
            raise BadConfiguration("the projection timeline is not installed: install it, or ask for an export")
        state: Any = None
        for one in events:
            state = self._manifest.fold(state, one)
        entries = folding.render(self._manifest, key, state, EMPTY, self.position)
        shown = {where: msgspec.json.decode(entry.payload) for where, entry in entries.items() if entry.payload}
        return GroupThen(key, shown) if shown else None


class Indexed:
    """By looking up the versions that stood at the position.

    A group has one version for each command, so at a position inside a command the groups of that command, and only
    they, are folded.
    """

    indexed = True
    reason: str | None = None

    def __init__(self, pool: Pool, reader: Reader, manifest: Manifest, generation: Generation, position: int) -> None:
        self._pool = pool
        self._versions = Versions(generation, manifest)
        self._folded = Folded(reader, manifest, position)
        self.position = position
        self._cut = [key for (key,) in fetch(pool, QUERIES["cut_keys"], {"position": position})]

    def page(self, after: str, limit: int, wanted: Mapping[str, str], within: Within | None = None) -> PageOfGroups:
        """One indexed statement for the keys, one for what they held."""
        found: list[GroupThen] = []
        while len(found) <= limit:
            keys = self._keys(after, limit + 1, wanted, within)
            found += self._groups(keys, wanted, within)
            if len(keys) <= limit:
                break
            after = keys[-1]
        return PageOfGroups(found[:limit], found[limit - 1].key if len(found) > limit else None)

    def _keys(self, after: str, limit: int, wanted: Mapping[str, str], within: Within | None) -> list[str]:
        """With what is cut off, which may not match, or not be there yet."""
        content = msgspec.json.encode({field: [value] for field, value in wanted.items()}).decode()
        given = {"position": self.position, "after": after, "cut": self._cut, "limit": limit, "wanted": content}
        name = "keys_within" if within is not None else "matching_keys" if wanted else "keys"
        if within is not None:
            given["within"] = within.encoded()
        query = self._versions.query(name)
        return [key for (key,) in fetch(self._pool, query, given)]

    def _groups(self, keys: Sequence[str], wanted: Mapping[str, str], within: Within | None) -> Iterator[GroupThen]:
        plain = [key for key in keys if key not in self._cut]
        rows = fetch(self._pool, self._versions.query("versions_of"), {"keys": plain, "position": self.position})
        found = {
            key: {(sku, facet): msgspec.json.decode(payload) for _, sku, facet, payload in facets}
            for key, facets in groupby(rows, key=lambda row: row[0])
        }
        for key in keys:
            group = self._folded.group(key) if key in self._cut else GroupThen(key, found[key])
            if group is not None and group.matches(wanted, within):
                yield group
