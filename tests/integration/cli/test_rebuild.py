"""Rebuilds at the command line: what is said, what comes back as JSON, and code that is not installed."""

import asyncio
import shutil
import signal
from pathlib import Path

import pytest

from daybook.channel.registry import installed
from daybook.errors import BadConfiguration
from daybook.rebuild.code import load, package_of
from daybook.rebuild.progress import RebuildProgress, Watch
from daybook.terminal.channel.rebuild import RebuildRate, said, spoken
from daybook_projections.bol import mapping
from tests.fixtures.commandline import Daybook

BOL = Path(mapping.__file__).parent


@pytest.fixture
def daybook(database: str, nats_url: str, tmp_path: Path) -> Daybook:
    """A book with two products that are sold on one channel."""
    found = Daybook({"DAYBOOK_POSTGRES": database, "DAYBOOK_NATS": nats_url, "DAYBOOK_DATA": str(tmp_path)})
    for sku, gtin in (("BAG-1", "4006381333931"), ("BAG-2", "4006381333948")):
        found.json("product", "create", sku)
        found.json("product", "gtin", sku, gtin)
        found.json("product", "price", sku, "10.00", "EUR")
        found.json("product", "list", sku, "bol")
    return found


def copied(tmp_path: Path) -> Path:
    """The channel's folder somewhere else, with another mapping."""
    folder = tmp_path / "bol-new"
    shutil.copytree(BOL, folder, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    file = folder / "mapping.py"
    file.write_text(file.read_text().replace('"reference": item.sku', '"reference": item.sku.lower()'))
    return folder


def test_a_rebuild_is_planned_applied_rolled_back_and_pruned(daybook: Daybook) -> None:
    done = daybook.json("channel", "rebuild", "bol")
    assert (done["generation"], done["plan"]["added"], done["plan"]["calls"]) == (2, 2, {"create": 2})
    assert daybook.json("channel", "plan", "bol") == done["plan"]
    assert daybook.json("channel", "list")[0]["generation"] == 1

    assert daybook.json("channel", "apply", "bol", "--actor", "mia", "--reason", "new texts")["facets"] == 6
    again = daybook.json("channel", "rebuild", "bol", "--apply")
    assert (again["plan"]["added"], again["plan"]["calls"], again["switched"]["facets"]) == (0, {}, 0)
    assert daybook.json("channel", "rollback", "bol", "--reason", "cut off")["live"] == 2
    switched = daybook.json("channel", "history", "bol")[-3:]
    assert [(one["sentence"], one["reason"]) for one in switched] == [
        ("bol switched from generation 1 to 2: 6 facets differ", "new texts"),
        ("bol switched from generation 2 to 3: 0 facets differ", None),
        ("bol switched from generation 3 to 2: 0 facets differ", "cut off"),
    ]
    assert switched[0]["actor"] == "mia"
    states = {one["generation"]: one["state"] for one in daybook.json("channel", "generations", "bol")}
    assert states == {1: "kept", 2: "live", 3: "kept"}
    assert daybook.json("channel", "prune", "bol", "--actor", "jan") == {"dropped": [1]}
    with daybook.unchanged():
        assert daybook.json("channel", "prune", "bol") == {"dropped": []}
        daybook.refuses(5, "refused", "channel", "prune", "bol", "--generation", "2")
    last = daybook.json("channel", "history", "bol")[-1]
    assert (last["sentence"], last["actor"]) == ("bol pruned of generation 1", "jan")
    assert "generation 3 was" not in daybook("channel", "generations", "bol").stdout


def test_what_is_said_to_a_person_names_the_next_step(daybook: Daybook) -> None:
    rebuilt = daybook("channel", "rebuild", "bol")
    assert rebuilt.code == 0
    assert "`daybook channel apply bol 2`" in rebuilt.stdout and "create" in rebuilt.stdout
    assert "folding the log" in rebuilt.stderr
    assert "`daybook channel rollback bol`" in daybook("channel", "apply", "bol").stdout
    assert "nothing would change" in daybook("channel", "rebuild", "bol").stdout
    problem = daybook.refuses(4, "not_found", "channel", "apply", "bol", "9")
    assert "channel generations" in problem["message"]


def test_a_past_state_is_read_and_never_applied(daybook: Daybook) -> None:
    done = daybook.json("channel", "rebuild", "bol", "--at", "2020-01-01")
    assert (done["events"], done["plan"]) == (0, None)
    number = str(done["generation"])
    listed = daybook.json("channel", "listing", "BAG-1", "--channel", "bol", "--generation", number)
    assert listed["channels"] == {"bol": []}
    daybook.refuses(5, "refused", "channel", "apply", "bol", number)
    daybook.refuses(5, "refused", "channel", "rebuild", "bol", "--at", "2020-01-01", "--apply")


@pytest.mark.long
def test_code_that_is_not_installed_is_tried_and_applied_only_when_told_to(daybook: Daybook, tmp_path: Path) -> None:
    daybook.json("channel", "rebuild", "bol", "--apply")
    folder = copied(tmp_path)

    done = daybook.json("channel", "rebuild", "bol", "--from-code", folder)

    fields = {one["field"]: (one["count"], one["samples"][0]["after"]) for one in done["plan"]["fields"]}
    assert fields == {"offer.reference": (2, "bag-1")}
    apart = daybook.json("channel", "rebuild", "bol", "--from-code", folder, "--fresh", "--workers", "1")
    assert apart["plan"]["fields"] == done["plan"]["fields"], "a worker process loads the same folder"
    problem = daybook.refuses(5, "refused", "channel", "apply", "bol")
    assert str(folder) in problem["message"]
    told = daybook.json("channel", "rebuild", "bol", "--from-code", folder, "--apply")
    assert told["switched"]["facets"] == 2


def test_the_code_of_a_folder_is_its_own_and_what_is_installed_stays(tmp_path: Path) -> None:
    before = installed().get("bol")
    loaded = load(copied(tmp_path), package_of(before))

    assert loaded.manifest.render.__code__.co_filename == str(tmp_path / "bol-new" / "mapping.py")
    assert loaded.fingerprint != type(loaded)(before).fingerprint
    assert installed().get("bol").render is before.render is mapping.render
    with pytest.raises(BadConfiguration, match="no folder"):
        load(tmp_path / "nowhere", "daybook_projections.bol")


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [(0.2, 0.4, "1 s"), (9, 11.5, "9–12 s"), (130, 170, "2–3 min"), (121, 180, "2–3 min"), (7300, 7900, "2–3 h")],
)
def test_time_is_told_as_a_span(least: float, most: float, text: str) -> None:
    assert spoken(least, most).replace("0–1 s", "1 s") == text


def test_the_time_left_spans_the_best_and_the_worst_rate_of_late() -> None:
    rate = RebuildRate()
    done = 0
    for second in range(8):
        rate.saw(float(second), done)
        done += 1000 if second % 2 else 500
    text = said(RebuildProgress(phase="fill", done=done, total=100_000), rate)
    assert text.startswith("6,000 of 100,000 events, ") and "min left" in text
    assert "left" not in said(RebuildProgress(phase="fill", done=100_000, total=100_000), rate)


def test_ctrl_c_leaves_everything_as_it_was_and_says_how_to_go_on(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*given: object) -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr("daybook.rebuild.run.fill_here", interrupted)
        stopped = daybook("channel", "rebuild", "bol")

    assert stopped.code == 130
    assert "were not touched" in stopped.stderr and "`daybook channel prune bol`" in stopped.stderr
    assert daybook.json("channel", "list")[0]["generation"] == 1
    assert daybook.json("channel", "rebuild", "bol")["resumed"] is True


async def test_a_rebuild_in_which_nothing_moves_says_so_and_why(database: str) -> None:
    said: asyncio.Queue[RebuildProgress] = asyncio.Queue()

    watch = Watch(said.put_nowait, stalled_seconds=0.1)
    watcher = asyncio.create_task(watch.watch(database, "bol"))
    async with asyncio.timeout(10):
        stalled = (await said.get()).stalled
    watcher.cancel()
    assert stalled is not None and stalled.startswith("nothing moved for 0 s: no worker is connected")
