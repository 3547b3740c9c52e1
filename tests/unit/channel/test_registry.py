"""Which channels there are: installed ones, with those that came, without those that went."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from daybook.channel.contract import Manifest
from daybook.channel.registry import Registry
from daybook.channel.testing.history import History
from daybook.errors import BadConfiguration, InvalidValue, NotFound, Refused
from daybook.events import ChannelAdded, ChannelConfigured, ChannelRemoved, Event, Recorded
from tests.fixtures.channels import toy


def another(name: str) -> Manifest:
    """Toys by other names."""
    if name == "broken":
        raise RuntimeError("no such toy")
    defaults = ChannelConfigured(name=name)
    return msgspec.structs.replace(toy(), name=name, defaults=defaults, renamed_to=another)


MANY = another("toy")
ONE = msgspec.structs.replace(toy(), name="single", defaults=ChannelConfigured(name="single"))
MODEL = msgspec.structs.replace(toy(), name="model", connector=None)
NEW = ChannelAdded(name="doll", kind="toy", settings={"url": "https://doll.example"})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The clock that the registry looks at; `now` may be set."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("daybook.channel.registry.time.monotonic", lambda: clock.now)
    return clock


class Log:
    """A log in memory that counts how often it is asked."""

    def __init__(self, *events: Event) -> None:
        self.history = History().happened(*events)
        self.asked = 0

    def news(self, after: int) -> Sequence[Recorded]:
        self.asked += 1
        return self.history.recorded[after:]


def following(*events: Event) -> Registry:
    return Registry([MANY, ONE, MODEL]).following(Log(*events).news)


def names(registry: Registry) -> list[str]:
    return [one.name for one in registry.all()]


def test_without_news_there_is_what_is_installed_in_the_order_of_names() -> None:
    assert names(Registry([MANY, ONE, MODEL])) == names(following()) == ["model", "single", "toy"]
    assert [one.name for one in following().channels()] == ["single", "toy"]


def test_what_was_added_is_there_under_its_name_with_its_settings() -> None:
    found = following(NEW)
    assert names(found) == ["doll", "model", "single", "toy"]
    assert found.get("doll").defaults.name == "doll"
    assert (found.settings("doll"), found.settings("toy")) == (NEW.settings, {})
    assert found.get("doll") is found.get("doll")


def test_newer_settings_replace_older_ones() -> None:
    newer = msgspec.structs.replace(NEW, settings={"url": "https://other.example"})
    assert following(NEW, newer).settings("doll") == newer.settings


def test_what_was_removed_is_not_there_but_its_past_is_and_it_can_come_back() -> None:
    went = following(NEW, ChannelRemoved(name="doll"), ChannelRemoved(name="single"))
    assert names(went) == ["model", "toy"]
    with pytest.raises(NotFound, match=r"doll was removed; `daybook channel add doll` brings it back"):
        went.get("doll")
    assert (went.get_even_removed("doll").name, went.get_even_removed("single"), went.get_even_removed("toy")) == (
        "doll",
        ONE,
        MANY,
    )
    assert set(went.removed()) == {"doll", "single"}
    back = following(NEW, ChannelRemoved(name="doll"), NEW)
    assert "doll" in names(back) and not back.removed()


def test_a_read_model_can_not_be_removed_and_neither_can_what_never_was() -> None:
    found = following(ChannelRemoved(name="model"), ChannelRemoved(name="nobody"))
    assert names(found) == ["model", "single", "toy"]
    with pytest.raises(NotFound, match="installed are: model, single, toy"):
        found.get_even_removed("nobody")


def test_a_channel_that_can_not_be_made_is_told_and_the_others_are_there() -> None:
    found = following(NEW, ChannelAdded(name="lost", kind="uninstalled"), ChannelAdded(name="broken", kind="toy"))
    assert names(found) == ["doll", "model", "single", "toy"]
    assert found.broken() == {
        "lost": "its kind uninstalled is not installed",
        "broken": "RuntimeError('no such toy')",
    }
    with pytest.raises(BadConfiguration, match="its kind uninstalled is not installed"):
        found.get("lost")


def test_the_log_is_asked_once_a_second_and_at_once_for_a_name_that_is_not_there(clock: Any) -> None:
    log = Log()
    found = Registry([MANY]).following(log.news)
    names(found), names(found)
    assert log.asked == 1
    log.history.happened(NEW)
    clock.now += 0.9
    assert names(found) == ["toy"]
    assert found.get("doll").name == "doll"
    assert log.asked == 2
    log.history.happened(ChannelRemoved(name="doll"))
    clock.now += 1.0
    assert names(found) == ["toy"]


def test_a_kind_says_with_which_settings_a_channel_of_it_begins() -> None:
    kinds = following().kinds()
    assert {name: one.purpose for name, one in kinds.items()} == {"model": "reading", "single": "sale", "toy": "sale"}
    assert kinds["toy"].defaults("doll") == ChannelConfigured(name="doll")
    assert kinds["single"].defaults("single") == ONE.defaults
    with pytest.raises(Refused, match="there can be only one single"):
        kinds["single"].defaults("other")
    with pytest.raises(Refused, match="model is an installed projection"):
        kinds["toy"].defaults("model")


@pytest.mark.parametrize("name", ["", "Doll", "my_doll", "my-doll", "1doll", "d" * 32, "doll\n"])
def test_a_name_that_tables_or_settings_can_not_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="small letters and digits"):
        following().kinds()["toy"].defaults(name)
