"""Which files a channel's folder may hold: who knows one channel finds his way in every other."""

from collections.abc import Iterable, Mapping
from pathlib import PurePath

import pytest

from tests.architecture.code import PROJECTIONS

SHARED = {
    "listing": "what the channel needs to know of a product group, folded from its events",
    "mapping": "render: the group in the channel's own words",
    "connector": "push, confirm and read, over HTTP",
    "api": "requests: signed in, paced, and what a status means everywhere",
    "access": "signing in to one account there",
    "orders": "what the channel says of an order: its messages, checked, and all that one order comes to",
    "order_query": "which of its orders changed, asked for page by page, in the words of `orders`",
    "answers": "what the channel's statuses and error bodies mean for a push",
    "images": "the pictures of a product that the channel can fetch",
    "readback": "what the channel shows, in the words of the payloads that were pushed",
    "submission": "what became of something that the channel took for later",
    "bulk": "many pushes in one file that the channel works on by itself",
    "bodies": "what a request says, from the payload that is wanted",
    "texts": "texts as the channel keeps them: what it would refuse or misread, put right",
    "terms": "what the channel's settings may say, checked",
}
"""File -> what it is about, wherever there is one of that name. A name that two channels use belongs here."""
OWN = {
    "amazon": ("definitions", "feeds", "signed_files", "writing"),
    "bol": ("content", "uploads"),
    "deepl": ("budget", "marks"),
    "sendcloud": ("shipment",),
    "shopify": (
        *("bulk_threshold", "connection", "custom_ids", "graphql", "ids", "inputs", "operations"),
        *("publication", "stock", "variant_cache"),
    ),
    "shopifyparcels": ("matching",),
    "webhook": ("signing",),
    "webshop": ("document", "families", "gathering", "place"),
}
"""What only one channel has, by its name."""
SANDBOX_SHARED = {
    "server": "the server: its operations, the faults, what buyers see",
    "answers": "the form of its answers and errors",
    "rules": "what it refuses, and what it makes of what it is given",
    "shop": "what it keeps, without HTTP",
    "schema": "what kind of value each field takes",
    "orders": "what buyers ordered, what became of it, and what that does to its stock",
    "webhooks": "what it tells others of its orders: late, twice, out of order, as it is signed",
    "bulk": "files of changes that it works on by itself",
}
SANDBOX_OWN = {
    "amazon": ("feeds", "files", "marketplace", "types"),
    "bol": ("content", "requests"),
    "shopify": ("execution", "fields", "order_answers"),
    "webshop": ("pictures", "texts"),
}


def strangers(channel: str, files: Iterable[str]) -> list[str]:
    """Files of a channel's folder (`sandbox/rules.py`) whose name says nothing that the tables know."""
    found = []
    for file in files:
        path = PurePath(file)
        shared, own = (SHARED, OWN) if path.parent == PurePath() else (SANDBOX_SHARED, SANDBOX_OWN)
        known = path.parent in (PurePath(), PurePath("sandbox"))
        if not known or path.stem not in ("__init__", *shared, *own.get(channel, ())):
            found.append(file)
    return found


def doubles(shared: Mapping[str, str], own: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Names that stand twice in the tables: with one meaning for all, or in one channel only."""
    names = [*shared, *(name for several in own.values() for name in several)]
    return sorted({name for name in names if names.count(name) > 1})


CHANNELS = {
    folder.name: [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*.py"))
        if "tests" not in path.relative_to(folder).parts
    ]
    for folder in sorted(PROJECTIONS.iterdir())
    if (folder / "__init__.py").exists()
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_file_of_a_channel_has_a_name_that_means_the_same_in_every_channel(channel: str) -> None:
    assert strangers(channel, CHANNELS[channel]) == []


@pytest.mark.parametrize("channel", [name for name, files in CHANNELS.items() if "connector.py" in files])
def test_the_pretended_channel_is_a_folder_with_a_server(channel: str) -> None:
    assert "sandbox/server.py" in CHANNELS[channel]


def test_a_name_is_shared_by_all_or_belongs_to_one_channel() -> None:
    assert doubles(SHARED, OWN) == []
    assert doubles(SANDBOX_SHARED, SANDBOX_OWN) == []


def test_the_check_of_files_can_fail() -> None:
    assert strangers("bol", ["sandbox.py", "sandbox_rules.py", "feeds.py", "sandbox/deep/rules.py"]) == [
        "sandbox.py",
        "sandbox_rules.py",
        "feeds.py",
        "sandbox/deep/rules.py",
    ]
    assert strangers("bol", ["__init__.py", "uploads.py", "sandbox/__init__.py", "sandbox/content.py"]) == []
    assert doubles({"feeds": "x"}, {"amazon": ("feeds",)}) == ["feeds"]
