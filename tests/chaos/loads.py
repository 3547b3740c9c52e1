"""Work that goes on beside the writers: rebuilds, some of them killed, questions that cost much, and bulk imports."""

import json
import random
import subprocess
import threading
from collections.abc import Iterator

from tests.chaos.api import NoAnswer
from tests.chaos.faults import Fault, Undo
from tests.chaos.truth import Truth
from tests.chaos.wishes import LOCALES, gtin, texts
from tests.chaos.world import World, decoded, until

BULK_SKUS = 12
BULK_GTINS = 500_000
END_SECONDS_MAX = 120.0


def rebuild(world: World, dice: random.Random) -> Undo:
    """A projection is built again and switched beside the live one."""
    name = dice.choice((*world.channels, "timeline"))
    child = world.begin("channel", "rebuild", name, "--apply", "--json")

    def undo() -> None:
        # One that waits for what a fault has stopped is cut off, as a person would.
        if not until(lambda: child.poll() is not None, END_SECONDS_MAX):
            child.kill()
        child.wait()
        if child.returncode != 0:  # its servers were killed: it could be gone on with, or dropped
            _drop(world, name)

    return undo


def _drop(world: World, name: str) -> None:
    # While a dead rebuild's lease runs, or Postgres is away, this is refused.
    dropped = until(lambda: drop_rebuilt(world, name), END_SECONDS_MAX, 1.0)
    assert dropped, f"what a rebuild of {name} left can't be dropped"


def killed_rebuild(world: World, dice: random.Random) -> Undo:
    """A rebuild is killed somewhere on its way; what it built is dropped."""
    name = dice.choice((*world.channels, "timeline"))
    child = world.begin("channel", "rebuild", name, "--json")

    def undo() -> None:
        child.kill()
        child.wait()
        _drop(world, name)

    return undo


def drop_rebuilt(world: World, name: str) -> bool:
    """Drops what rebuilds left that were not switched to; whether that could be done."""
    listed = world.run("channel", "generations", name, "--json")
    if listed.returncode != 0:
        return False
    left = [one["generation"] for one in decoded(listed.stdout) if one["state"] in ("building", "ready")]
    return all(world.run("channel", "prune", name, "--generation", str(one)).returncode == 0 for one in left)


def questions(world: World, dice: random.Random) -> Undo:
    """Filters that match nothing, at moments of the past, again and again."""
    ended = threading.Event()
    asked = random.Random(dice.random())

    def ask() -> None:
        while not ended.is_set():
            try:
                world.api.get("/api/v1/catalogue", category="hats", family="clothing", position=asked.randrange(50))
                world.api.get("/api/v1/events", after=asked.randrange(100), limit=1000)
            except NoAnswer:
                ended.wait(0.2)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()

    def undo() -> None:
        ended.set()
        thread.join(40)

    return undo


class Bulk:
    """Many products from a file, again and again until the import says that all of them are in."""

    def __init__(self, truth: Truth, channels: tuple[str, ...]) -> None:
        self._truth, self._channels = truth, channels
        self._round = 0
        self.expected: dict[str, dict[str, object]] = {}
        """What must be true of each SKU since the last import that came to its end; absent while it is not known."""

    def run(self, world: World, dice: random.Random) -> Undo:
        """One import of all of the bulk's products, begun now and ended when it is lifted."""
        self._round += 1
        rows = list(self._rows(dice))
        text = "".join(json.dumps(row) + "\n" for row, _ in rows)
        file = world.data / f"bulk-{self._round}.jsonl"
        file.write_text(text)
        arguments = ("import", "jsonl", str(file), "--reason", "chaos", "--json")
        child, command = world.begin(*arguments), world.command(*arguments)
        kill_it = dice.random() < 0.4

        def undo() -> None:
            if kill_it:
                child.kill()
            child.wait()
            done = child.returncode == 0 or until(lambda: self._again(command), END_SECONDS_MAX, 1.0)
            if not done:
                self._truth.surprised(f"the import of {file} does not come to its end")
            self.expected = dict(expected for _, expected in rows) if done else {}

        return undo

    @staticmethod
    def _again(command: list[str]) -> bool:
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _rows(self, dice: random.Random) -> Iterator[tuple[dict[str, object], tuple[str, dict[str, object]]]]:
        for number in range(1, BULK_SKUS + 1):
            sku, title = f"BULK-{number}", f"Thing BULK-{number} {dice.randrange(10**6)}"
            price, stock = f"{dice.randrange(500, 9999) / 100:.2f}", dice.randrange(60)
            row: dict[str, object] = {
                "type": "describe_product",
                "sku": sku,
                "kind": "product",
                "family": "clothing",
                "gtin": gtin(BULK_GTINS + number),
                "attributes": [
                    *texts(title),
                    *({"attribute": "description", "value": "In bulk.", "locale": at} for at in LOCALES),
                    {"attribute": "brand", "value": "Acme"},
                    {"attribute": "color", "value": "red"},
                ],
                "prices": [{"amount": price, "currency": "EUR"}],
                "stock": {"main": stock},
                "categories": ["shoes"],
                "media": [{"media_id": "front", "url": f"https://example.com/{sku}.jpg"}],
                "channels": dict.fromkeys(self._channels, True),
            }
            yield row, (sku, {"price": price, "stock": stock, "title": title} | self._on())

    def _on(self) -> dict[str, object]:
        return {f"channel {name}": True for name in self._channels}

    def faults(self) -> tuple[Fault, ...]:
        """As the plan takes them."""
        return (
            Fault("bulk import, perhaps killed", self.run, (1.0, 6.0)),
            Fault("rebuild and switch beside all this", rebuild, (2.0, 6.0)),
            Fault("rebuild, killed", killed_rebuild, (0.8, 4.0)),
            Fault("questions that cost much", questions, (3.0, 8.0)),
        )
