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
    upto: int
    """The newest position that it asks for."""


class Past:
    """Notes answers from a thread of its own while everything else goes on."""

    def __init__(self, world: World, truth: Truth, seed: str) -> None:
        self._world, self._truth, self._dice = world, truth, random.Random(f"{seed} past")
        self.noted: list[Noted] = []
        self._ended, self._asking = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Notes nothing any more."""
        self._ended.set()
        self._thread.join(40)

    def held(self) -> threading.Lock:
        """Within it nothing is asked."""
        return self._asking

    def forget_beyond(self, head: int) -> None:
        """What was answered about positions that are lost."""
        self.noted = [one for one in self.noted if one.upto <= head]

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
            with self._asking:
                self._ask()

    def _ask(self) -> None:
        question = self._question()
        if question is None:
            return
        path, upto = question
        try:
            answer = self._world.api.get(path)
        except NoAnswer:
            return
        if answer.status == 200:
            self.noted.append(Noted(path, _text(answer), upto))
        elif answer.status not in (429, 503):
            self._truth.surprised(f"GET {path}: {answer.status} {answer.body}")

    def _question(self) -> tuple[str, int] | None:
        known = [one for one in self._truth.all().values() if one.position is not None and one.sku]
        if len(known) < 10:
            return None
        wish = self._dice.choice(known)
        at, sku = wish.position or 0, quoted(wish.sku)
        later = at + self._dice.randrange(20)
        questions = [
            f"/api/v1/products/{sku}?position={at}",
            f"/api/v1/catalogue?position={at}&limit=5",
            f"/api/v1/definitions?position={at}",
            f"/api/v1/events?after={max(0, at - 3)}&limit=3",
            f"/api/v1/products/{sku}/channels/{self._dice.choice(self._world.channels)}?position={at}",
        ]
        if later < max(one.position or 0 for one in known):
            questions.append(f"/api/v1/products/{sku}/diff?from={at}&to={later}")
        return self._dice.choice(questions), later


def _text(answer: Answer) -> str:
    body = answer.body
    if isinstance(body, dict):  # how it was found, from the timeline or the log, is no part of the answer
        body = {name: value for name, value in body.items() if name != "looked_up"}
    return msgspec.json.encode(Answer(answer.status, body), order="sorted").decode()
