"""What a runner remembers of its last batches, and how much of it."""

from daybook.catalogue.reference import EMPTY
from daybook.projection.folding import Batch, Entry
from daybook.projection.group_cache import GroupCache


def entry(key: str, mark: bytes) -> Entry:
    return Entry(key, "offer", key, b"{}", None, mark, 1)


def test_a_group_is_remembered_as_the_batch_left_it() -> None:
    recent = GroupCache()
    batch = Batch(EMPTY, states={"A": "new"}, put={("A", "offer"): entry("A", b"2")})
    batch.unlisted = {("A", "price"): ("A", 7)}
    listed = {"A": {("A", "offer"): b"1", ("A", "price"): b"1"}, "B": {("B", "offer"): b"1"}}
    recent.written(batch, {"A": "old", "B": "unchanged"}, listed, {"A": 10, "B": 10})
    known = recent.of(["A", "B", "C"])
    assert set(known) == {"A", "B"}
    assert (known["A"].state, known["A"].facets) == ("new", {("A", "offer"): b"2"})
    assert (known["B"].state, known["B"].facets) == ("unchanged", {("B", "offer"): b"1"})


def test_the_groups_that_were_used_longest_ago_make_room() -> None:
    recent = GroupCache(bytes_max=25)
    for key in ("A", "B"):
        recent.written(Batch(EMPTY), {key: key}, {key: {}}, {key: 10})
    assert set(recent.of(["A"])) == {"A"}
    recent.written(Batch(EMPTY), {"C": "C"}, {"C": {}}, {"C": 10})
    assert set(recent.of(["A", "B", "C"])) == {"A", "C"}
    recent.written(Batch(EMPTY), {"D": "D"}, {"D": {}}, {"D": 30})
    assert recent.of(["A", "B", "C", "D"]) == {}, "one that is larger than all the room is not kept either"
