"""A credential that a command gives: run without a shell, remembered for a while, and never shown."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook import secret_command
from daybook.config import from_environment
from daybook.errors import BadConfiguration


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(secret_command, "_kept", {})
    yield


def told(command: str) -> dict[str, str]:
    settings = from_environment({"DAYBOOK_CHANNEL_BOL_CLIENT_SECRET_COMMAND": command, "DAYBOOK_CHANNEL_BOL_URL": "u"})
    assert "s3cret" not in str(settings.shown())
    return settings.connection("bol", {})


def test_what_it_writes_is_the_value_and_it_is_not_asked_every_time(tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = f"open({str(count)!r}, 'a').write('x'); print('s3cret')"
    for _ in range(3):
        assert told(f'"{sys.executable}" -c "{program}"') == {"url": "u", "client_secret": "s3cret"}
    assert count.read_text() == "x"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (f"{sys.executable} -c 'print(\"s3cret\"); raise SystemExit(3)'", "ended with 3"),
        (f"{sys.executable} -c ''", "said nothing"),
        (f"{sys.executable} -c 'print(\"s3cret\" * 100000)'", "too much"),
        ("/no/such/program s3cret", "can't be run"),
        ("echo 's3cret", "quotes closed"),
        (" ", "quotes closed"),
        ("echo s3cret > /dev/null; false", ""),
    ],
)
def test_a_command_that_gives_nothing_is_refused_without_what_it_said(command: str, why: str) -> None:
    if not why:  # no shell: all of it is what `echo` is to write
        assert told(command)["client_secret"] == "s3cret > /dev/null; false"
        return
    with pytest.raises(BadConfiguration, match="BOL_CLIENT_SECRET_COMMAND") as caught:
        told(command)
    assert why in caught.value.message and "s3cret" not in caught.value.message
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_command, "SECONDS_MAX", 0.3)
    with pytest.raises(BadConfiguration, match="did not end within"):
        told(f"{sys.executable} -c 'import time; time.sleep(60)'")
