"""Everything runs, somebody is added, looked at and erased: then the name is in no table, file, log or message."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from daybook.embedded.servers import Servers
from tests.fixtures.commandline import Daybook
from tests.fixtures.people import ADA, CANARY, found_in_tables
from tests.fixtures.waiting import until

pytestmark = pytest.mark.long


@contextmanager
def up(data: Path) -> Iterator[Any]:
    """Everything runs on the folder, with a pretended marketplace."""
    command = [sys.executable, "-m", "daybook", "up", "--port", "0", "--sandboxes", "--channels", "bol", "--json"]
    with subprocess.Popen([*command, "--data", str(data)], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield json.loads(child.stdout.readline())
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(60)


def files_with(folder: Path, text: str) -> list[str]:
    """Files that hold the text: those of the servers too, with the write-ahead log and the stream's store."""
    wanted = text.lower().encode()
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and wanted in file.read_bytes().lower()
    ]


def test_of_somebody_who_was_erased_there_is_no_name_in_any_table_or_file(data_folder: Path) -> None:
    data = data_folder / "data"
    data.mkdir(mode=0o711)
    daybook = Daybook({"DAYBOOK_DATA": str(data)})
    with up(data):
        person = daybook.json("privacy", "add", stdin=msgspec.json.encode(ADA))["person"]
        daybook.json("privacy", "change", person, stdin=b'{"phone": "+31 20 555 0100"}')
        assert CANARY in daybook("privacy", "show", person).stdout
        assert CANARY in daybook("privacy", "export", person).stdout
        daybook.json("product", "create", "SKU-1", "--reason", f"asked for by {person}")
        until(lambda: daybook.json("status")["position"] == daybook.json("log", "stats")["position"], "all is read")
        running = Servers.running(data)
        assert running is not None and running.postgres is not None
        sealed = found_in_tables(running.postgres, CANARY), files_with(data, CANARY)

        assert daybook.json("privacy", "erase", person)["position"]

        assert sealed == ({}, []), "it is nowhere in plain words before the erasure either"
        assert found_in_tables(running.postgres, CANARY) == {}
        assert person in daybook("log", "tail").stdout
    assert files_with(data, CANARY) == []
    assert (data / "erased-people").read_text() == f"{person}\n"
