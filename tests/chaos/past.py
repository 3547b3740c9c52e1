"""Answers about the past, noted when they were given and asked for again later: they must be the same."""

import random
import threading
from collections.abc import Sequence

import msgspec

from tests.chaos.api import Answer, NoAnswer, quoted
from tests.chaos.truth import Truth
from tests.chaos.world import World

EVERY_SECONDS = 0.7
ASKED_AGAIN_MAX = 40
"""At a quiet point; at the end all of them."""


class Noted(msgspec.Struct, frozen=True):
    """A question about a moment, and its answer."""

    path: str
    answer: str


class Past:
    """Notes answers from a thread of its own while everything else goes on."""

    def __init__(self, world: World, truth: Truth, seed: str) -> None:
        self._world, self._truth, self._dice = world, truth, random.Random(f"{seed} past")
        self.noted: list[Noted] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Notes nothing any more."""
        self._ended.set()
        self._thread.join(40)

    def differing(self, all_of_them: bool) -> list[str]:
        """What is answered otherwise by now. Raises NoAnswer."""
        noted = list(self.noted)
        chosen: Sequence[Noted] = noted
        if not all_of_them and len(noted) > ASKED_AGAIN_MAX:
            chosen = self._dice.sample(noted, ASKED_AGAIN_MAX)
        found = []
        for one in chosen:
            now = _text(self._world.api.get(one.path))
            if now != one.answer:
                found.append(f"GET {one.path} was {one.answer} and is {now}")
        return found

    def _run(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            path = self._question()
            if path is None:
                continue
            try:
                answer = self._world.api.get(path)
            except NoAnswer:
                continue
            if answer.status == 200:
                self.noted.append(Noted(path, _text(answer)))
            elif answer.status not in (429, 503):
                self._truth.surprised(f"GET {path}: {answer.status} {answer.body}")

    def _question(self) -> str | None:
        known = [one for one in self._truth.all().values() if one.position is not None and one.sku]
        if len(known) < 10:
            return None
        wish = self._dice.choice(known)
        at, sku = wish.position or 0, quoted(wish.sku)
        return self._dice.choice(
            (
                f"/api/v1/products/{sku}?position={at}",
                f"/api/v1/catalogue?position={at}&limit=5",
                f"/api/v1/definitions?position={at}",
                f"/api/v1/events?after={max(0, at - 3)}&limit=3",
                f"/api/v1/products/{sku}/channels/{self._dice.choice(self._world.channels)}?position={at}",
                f"/api/v1/products/{sku}/diff?from={at}&to={at + self._dice.randrange(20)}"
                if at + 20 < max(one.position or 0 for one in known)
                else f"/api/v1/products/{sku}?position={at}",
            )
        )


def _text(answer: Answer) -> str:
    body = answer.body
    if isinstance(body, dict):  # how it was found, from the timeline or the log, is no part of the answer
        body = {name: value for name, value in body.items() if name != "looked_up"}
    return msgspec.json.encode(Answer(answer.status, body), order="sorted").decode()
