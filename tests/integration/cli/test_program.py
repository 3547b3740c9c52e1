"""What holds for every command: help, output, errors, and where the servers are."""

import os
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer
from msgspec.structs import replace
from typer.main import get_command

from daybook.channel.registry import Registry
from daybook.cli.main import EXITS, MEANINGS, cli
from daybook.cli.manual import commands, manual
from daybook.cli.options import EXAMPLE_WIDTH, shell_lines
from daybook.config import Settings, from_environment
from daybook.runtime.up import needed_by, role_environment
from daybook_projections.webshop.orders import ORDERS
from tests.fixtures.channels import toy
from tests.fixtures.commandline import Daybook

ROOT = Path(__file__).resolve().parents[3]
NOWHERE = {"DAYBOOK_POSTGRES": "postgresql://nobody:hunter2@127.0.0.1:1/none", "DAYBOOK_NATS": "nats://127.0.0.1:1"}
PATHS = [path for path, _ in commands(cli)]


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_help_with_the_options_of_all_and_no_example_is_broken(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer, found = Daybook({})(*path, "-h"), dict(commands(cli))[path]
    assert (answer.code, answer.stderr) == (0, "")
    assert all(option in answer.stdout for option in ("--json", "--data", "--debug", "--help"))
    lines = [line.strip() for line in answer.stdout.splitlines()]
    examples = [line.strip() for line in found.epilog.splitlines()]
    assert lines[lines.index("Examples:") :][: len(examples)] == examples and len(examples) > 1
    for paragraph in found.help.split("\n\n"):
        assert textwrap.wrap(paragraph, 78, break_on_hyphens=False)[0] in lines, "prose fills its lines"
    assert answer.stdout == Daybook({})(*path, "--help").stdout


def test_an_example_that_is_too_long_for_its_line_is_still_what_a_shell_takes() -> None:
    example = "daybook " + " ".join(f"--option-{number} 'a value of {number}'" for number in range(9))
    lines = shell_lines(example)
    assert len(lines) > 1 and max(map(len, lines)) <= EXAMPLE_WIDTH
    words = subprocess.run(
        ["sh", "-c", "printf '%s\n' " + "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert words.stdout.splitlines() == shlex.split(example)
    assert all("'" in line for line in lines), "no option is parted from its value"
    assert shell_lines("daybook status") == ["daybook status"]


@pytest.mark.parametrize("found", [get_command(cli), *(one for _, one in commands(cli))], ids=lambda one: one.name)
def test_a_flag_takes_nothing_in_the_help(found: Any) -> None:
    flags = [one for one in found.get_params(typer.Context(found)) if getattr(one, "is_flag", False)]
    assert {"--json", "--help"} <= {name for one in flags for name in one.opts}
    assert {one.make_metavar(ctx=typer.Context(found)) for one in flags} == {""}


def test_the_exit_codes_are_documented_in_the_help_and_complete() -> None:
    shown = " ".join(Daybook({})("--help").stdout.split())
    for code, meaning in MEANINGS.items():
        assert f"{code} {meaning}" in shown
    assert set(EXITS.values()) <= set(MEANINGS)


def test_the_version_is_told() -> None:
    assert Daybook({})("--version").stdout.startswith("daybook ")


def test_help_loads_no_server_driver_and_no_domain() -> None:
    code = (
        "import sys; from daybook.cli.main import run_with; run_with(['--help'], {}); "
        "print([one for one in ('psycopg', 'nats', 'litestar', 'babel', 'eventsourcing') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_reference_is_what_the_program_says() -> None:
    written = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert written == manual(cli), "run: python -m daybook.cli.manual > docs/reference/cli.md"


def test_global_options_may_stand_before_or_after_the_command(tmp_path: Path) -> None:
    for line in (("--data", tmp_path, "--json", "config"), ("config", "--json", "--data", tmp_path)):
        assert Daybook({})(*line).json["data"] == str(tmp_path)


def test_secrets_are_masked_in_the_settings(tmp_path: Path) -> None:
    given = {
        **NOWHERE,
        "DAYBOOK_CHANNEL_BOL_URL": "https://api.bol.com",
        "DAYBOOK_CHANNEL_BOL_CLIENT_SECRET": "hunter2",
    }
    daybook = Daybook({**given, "DAYBOOK_DATA": str(tmp_path)})
    shown = daybook.json("config")
    assert shown["channels"] == {"bol": {"url": "https://api.bol.com", "client_secret": "********"}}
    assert "hunter2" not in str(shown)
    assert "hunter2" not in daybook("config").stdout


def test_a_setting_that_makes_no_sense_exits_with_7() -> None:
    answer = Daybook({"DAYBOOK_HTTP_PORT": "many"})("config", "--json")
    assert (answer.code, answer.problem["code"]) == (7, "bad_configuration")
    assert "DAYBOOK_HTTP_PORT" in answer.problem["message"]


def test_a_role_without_servers_says_what_to_set(tmp_path: Path) -> None:
    answer = Daybook({"DAYBOOK_DATA": str(tmp_path)})("run", "relay")
    assert answer.code == 7
    assert "DAYBOOK_POSTGRES" in answer.stderr


def test_a_database_that_is_not_migrated_is_told_and_migrated_once(empty_database: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": empty_database})
    answer = daybook("product", "show", "SKU-1", "--json")
    assert (answer.code, answer.problem["code"]) == (7, "bad_configuration")
    assert "daybook migrate" in answer.problem["message"]
    assert "log/0001_log.sql" in daybook.json("migrate")["applied"]
    assert daybook.json("migrate")["applied"] == []
    assert daybook("product", "show", "SKU-1").code == 4


def test_servers_that_do_not_answer_exit_with_6_and_without_a_traceback() -> None:
    answer = Daybook(NOWHERE)("stream", "reset", "--yes", "--json")
    assert (answer.code, answer.problem["code"]) == (6, "unavailable")
    gone = Daybook(NOWHERE)("migrate")
    assert gone.code == 6
    assert "Traceback" not in gone.stderr
    assert "hunter2" not in gone.stderr


def test_the_roles_are_told_where_the_servers_are_and_only_about_the_channels_that_are_wanted(tmp_path: Path) -> None:
    found = Settings(data=tmp_path, postgres="postgresql://here/x", nats="nats://here", http_port=81)
    environ = {
        "PATH": "/bin",
        "DAYBOOK_POSTGRES": "other",
        "DAYBOOK_CHANNEL_BOL_URL": "b",
        "DAYBOOK_CHANNEL_SHOP_URL": "s",
    }
    told = role_environment(environ, found, ("bol",))
    assert from_environment(told) == replace(found, channels={"bol": {"url": "b"}})
    assert told["PATH"] == "/bin"
    assert set(from_environment(role_environment(environ, found, ())).channels) == {"bol", "shop"}


def test_a_role_is_told_the_credentials_of_those_channels_alone_that_it_talks_to() -> None:
    registry = Registry([replace(toy(), name="shop"), replace(toy(), name="shopwithorders", orders=ORDERS)])
    environ = {f"DAYBOOK_CHANNEL_{name}_URL": "u" for name in ("SHOP", "SHOPWITHORDERS", "ADDEDLATER")}

    def told(role: str) -> set[str]:
        return set(from_environment(needed_by(role, environ, registry)).channels)

    assert told("intake") == {"shopwithorders", "addedlater"}
    assert told("deliver") == told("api") == {"shop", "shopwithorders", "addedlater"}
    assert told("relay") == told("project") == told("clock") == set()


def test_without_a_command_the_help_is_shown() -> None:
    for path in ((), ("product",)):
        answer = Daybook({})(*path)
        assert (answer.code, answer.stderr) == (2, "")
        assert answer.stdout.strip() == Daybook({})(*path, "--help").stdout.strip()


def test_debug_shows_where_an_error_comes_from() -> None:
    answer = Daybook({"DAYBOOK_HTTP_PORT": "many"})("config", "--debug")
    assert answer.code == 7
    assert "Traceback" in answer.stderr
    assert answer.stderr.splitlines()[-1].startswith(("daybook: ", "  "))


@pytest.mark.parametrize(
    "line",
    [
        ("import", "jsonl", "x" * 5000),
        ("import", "akeneo", "x" * 5000),
        ("import", "jsonl", "-", "--report", "x" * 300 + ".csv"),
        ("catalogue", "export", "x" * 5000),
        ("catalogue", "export", "/nowhere/catalogue.jsonl"),
        ("log", "tail", "-n", "1", "--data", "x" * 5000),
        ("product", "create", "A", "--data", "/proc/nowhere"),
    ],
    ids=lambda line: f"{line[0]} {line[1]}",
)
def test_a_file_that_can_not_be_used_is_named_with_the_systems_reason(database: str, line: tuple[str, ...]) -> None:
    environ = {} if "--data" in line else {"DAYBOOK_POSTGRES": database}
    answer = Daybook(environ)(*line, "--json", stdin=b"{}")
    assert answer.code in (3, 4, 7) and answer.problem["code"] != "error", answer.stderr[:500]


def test_text_that_is_no_utf8_is_refused(database: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    problem = daybook.refuses(3, "invalid_value", "product", "create", "A", "--reason", "caf\udce9")
    assert problem["details"]["field"] == "argument"


def test_text_of_a_catalogue_can_not_steer_the_terminal(database: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    daybook.json("product", "create", "A", "--reason", "\x1b[31m[bold]red")
    shown = daybook("product", "history", "A").stdout
    assert "\x1b" not in shown
    assert "\\x1b[31m[bold]red" in shown


@pytest.mark.long
def test_with_nothing_running_a_command_starts_the_servers_and_stops_them(data_folder: Path) -> None:
    def call(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "daybook", "--data", str(data_folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    for question in (("product", "show", "SKU-1"), ("status",), ("log", "verify"), ("channel", "resume", "bol")):
        nothing = call(*question)
        assert nothing.returncode == 4 and f"there is no Daybook in {data_folder}" in nothing.stderr
        assert "--data or DAYBOOK_DATA" in nothing.stderr and not list(data_folder.iterdir())
    created = call("product", "create", "SKU-1")
    assert (created.returncode, created.stdout[:8]) == (0, "appended")
    assert created.stderr.count("\n") == 1
    assert "a new Daybook begins there" in created.stderr
    shown = call("product", "show", "SKU-1", "--json")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert '"sku":"SKU-1"' in shown.stdout
    assert not [one for one in psutil.process_iter(["cmdline"]) if str(data_folder) in str(one.info["cmdline"])]


def test_a_reader_that_goes_away_is_no_error_to_tell(database: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    daybook.json("product", "create", "A")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "daybook", "log", "tail", "--json"]
    environ = {**os.environ, "DAYBOOK_POSTGRES": database}
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, env=environ, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_help_loads_neither_the_servers_clients_nor_the_web_framework() -> None:
    """What makes `--help` quick, as a timing would not be the same everywhere."""
    script = (
        "import contextlib, io, sys\n"
        "from daybook.cli.main import run_with\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    run_with(['--help'], {})\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert not {"psycopg", "nats", "litestar", "aiohttp", "eventsourcing"} & set(done.stdout.split())
