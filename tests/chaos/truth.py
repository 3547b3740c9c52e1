"""What the writers said and what was acknowledged: the truth that the book is measured by, kept outside of it."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

State = Literal["open", "acknowledged", "refused", "lost"]
"""`lost`: Postgres was replaced by an older copy of itself, which does not have it."""


class Wish(msgspec.Struct, kw_only=True):
    """One command, by its id. It is sent again and again under this id until it is answered."""

    id: str
    sku: str
    method: str
    path: str
    body: Any
    effect: Mapping[str, Any]
    """What is true afterwards: `price`, `stock`, `title`, `channel <name>`; `received` adds to the stock."""
    state: State = "open"
    position: int | None = None
    """Of its last event; None while it is open, and when nothing had to be recorded."""
    tries: int = 0
    answer: str = ""


class Truth:
    """All wishes. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wishes: dict[str, Wish] = {}
        self.answers: dict[str, int] = {}
        """How often each kind of answer came."""
        self.surprises: list[str] = []
        """Answers that no fault excuses."""

    def wish(self, wish: Wish) -> None:
        """Notes a command before it is sent."""
        with self._lock:
            self._wishes[wish.id] = wish

    def answered(self, wish: Wish, state: State, position: int | None, answer: str) -> None:
        """Notes what became of it. The last event's position, when something was recorded."""
        with self._lock:
            if wish.state == "acknowledged" and (state, position) != ("acknowledged", wish.position):
                self.surprises.append(f"{wish.id} was at position {wish.position}; asked again: {position}, {answer}")
            wish.state, wish.position, wish.answer = state, position, answer

    def count(self, answer: str) -> None:
        """Notes an answer of any kind."""
        with self._lock:
            self.answers[answer] = self.answers.get(answer, 0) + 1

    def surprised(self, what: str) -> None:
        """Notes an answer that should not have come."""
        with self._lock:
            self.surprises.append(what)

    def all(self) -> dict[str, Wish]:
        """Command id -> wish."""
        with self._lock:
            return dict(self._wishes)

    def all_ids(self) -> set[str]:
        """Every command's id."""
        with self._lock:
            return set(self._wishes)

    def acknowledged(self) -> int:
        """How many were."""
        return sum(one.state == "acknowledged" for one in self.all().values())

    def of(self, sku: str) -> Iterator[Wish]:
        """What was recorded of a SKU, in the order of the book."""
        mine = [one for one in self.all().values() if one.sku == sku and one.position is not None]
        yield from sorted(mine, key=lambda one: one.position or 0)

    def forget_beyond(self, head: int) -> int:
        """What was recorded beyond this position is in no book any more; how many commands that were."""
        with self._lock:
            lost = [one for one in self._wishes.values() if (one.position or 0) > head]
            for one in lost:
                one.state, one.position = "lost", None
            return len(lost)

    def skus(self) -> list[str]:
        """Every SKU that was made."""
        return sorted({one.sku for one in self.all().values() if one.position is not None and one.sku})


def state_of(truth: Truth, sku: str) -> dict[str, Any]:
    """What must be true of a SKU now: everything acknowledged, one after the other."""
    state: dict[str, Any] = {}
    for wish in truth.of(sku):
        for name, value in wish.effect.items():
            if name == "received":
                state["stock"] = state.get("stock", 0) + value
            else:
                state[name] = value
    return state
