"""Writers: each changes products over HTTP, one command after the other, and asks again until it is answered."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from tests.chaos.api import Answer, Api, NoAnswer
from tests.chaos.truth import Truth, Wish
from tests.chaos.wishes import Catalogue

AGAIN_SECONDS = 0.4
ASKED_TWICE = 0.05
"""How often an answered command is sent once more, as a client does that lost the answer."""
TRY_AGAIN = (409, 412, 429, 503)
"""Somebody else was faster, too fast, or the book is away: the same command is sent again."""


class Writer:
    """One thread. `pause()` returns when nothing of it is open; `go()` lets it write on."""

    def __init__(self, name: str, api: Api, truth: Truth, catalogue: Catalogue, dice: random.Random) -> None:
        self.name = name
        self._api, self._truth, self._catalogue, self._dice = api, truth, catalogue, dice
        self._going, self._resting, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def go(self) -> None:
        """Writes from now on."""
        self._resting.clear()
        self._going.set()

    def pause(self, timeout: float) -> bool:
        """Whether it came to rest in time: its last command was answered."""
        self._going.clear()
        return self._resting.wait(timeout)

    def end(self) -> None:
        """Ends wherever it stands."""
        self._ended.set()
        self._going.set()

    def join(self) -> None:
        """Waits until it has ended."""
        self._thread.join(20)

    def _run(self) -> None:
        while not self._ended.is_set():
            if not self._going.is_set():
                self._resting.set()
            self._going.wait()
            if self._ended.is_set():
                return
            wish = self._catalogue.next(self.name, self._dice)
            carry_out(self._api, self._truth, wish, self._ended.is_set)
            if self._dice.random() < ASKED_TWICE:
                carry_out(self._api, self._truth, wish, self._ended.is_set)
            self._ended.wait(self._dice.uniform(*self._catalogue.pause_seconds))


def new_id() -> str:
    """An id for a command."""
    return f"chaos-{uuid.uuid4().hex}"


def carry_out(api: Api, truth: Truth, wish: Wish, given_up: Callable[[], bool]) -> None:
    """Sends the command until it is answered, always under the same id."""
    truth.wish(wish)
    while not given_up():
        wish.tries += 1
        try:
            answer = api.send(
                wish.method, wish.path, wish.body, {"Idempotency-Key": wish.id, "X-Actor": "chaos", "X-Reason": "chaos"}
            )
        except NoAnswer as nothing:
            truth.count("no answer")
            wish.answer = str(nothing)
        else:
            truth.count(_kind(answer))
            if answer.status in (200, 201):
                changed = bool(answer.body["changed"])
                truth.answered(wish, "acknowledged", answer.body["position"] if changed else None, str(answer.body))
                return
            wish.answer = f"{answer.status} {answer.body}"
            if answer.status not in TRY_AGAIN:
                truth.surprised(f"{wish.method} {wish.path} {wish.body} ({wish.id}): {wish.answer}")
                if answer.status < 500:
                    truth.answered(wish, "refused", None, wish.answer)
                    return
        time.sleep(AGAIN_SECONDS)


def _kind(answer: Answer) -> str:
    code = answer.body.get("code") if isinstance(answer.body, dict) else None
    return f"{answer.status} {code}" if answer.status >= 400 and code else str(answer.status)


def pause_all(writers: Sequence[Writer], timeout: float) -> list[str]:
    """Brings all to rest; the names of those that did not come to it."""
    deadline = time.monotonic() + timeout
    for one in writers:
        one.pause(0)
    return [one.name for one in writers if not one.pause(max(0.0, deadline - time.monotonic()))]


def only(answer: Answer) -> Any:
    """The body of an answer that must be a good one."""
    assert answer.status in (200, 201), answer
    return answer.body
