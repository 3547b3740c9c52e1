"""What is installed from a wheel: the program and its channels, whole, and nothing that only development needs.

The wheel is made of a source distribution, as an index would have it, so that both are looked at.
"""

import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from daybook.postgres.migrate import LINES, files
from tests.fixtures.pipeline import ROOT

pytestmark = pytest.mark.long

LEFT_OUT = {"tests", "template", "__pycache__"}


def declared() -> dict[str, str]:
    """The channels that the project says it brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, str] = project["entry-points"]["daybook.projections"]
    return found


SHOWN = """
from daybook import cli, projection
from daybook.channel.registry import installed
from daybook.postgres.migrate import LINES, files
print(cli.__file__, projection.__file__)
print(*sorted(one.name for one in installed().all()))
print(*(len(files(package)) for _, package in LINES))
"""


def build(source: Path, kind: str, into: Path) -> Path:
    """A distribution of the project in this folder."""
    run([sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(into)], source)
    (made,) = (one for one in into.iterdir() if one.suffix == {"sdist": ".gz", "wheel": ".whl"}[kind])
    return made


def run(command: list[str], folder: Path) -> str:
    """What a command prints on stdout."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shipped(source: Path, package: str) -> set[str]:
    """The files of a package that a user needs, under the names that they are installed by."""
    return {
        f"{package}/{path.relative_to(source).as_posix()}"
        for path in source.rglob("*.*")
        if path.is_file() and not LEFT_OUT.intersection(path.relative_to(source).parts)
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    with tarfile.open(build(ROOT, "sdist", folder)) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = (one for one in folder.iterdir() if one.is_dir())
    return build(unpacked, "wheel", folder)


def test_a_wheel_holds_every_file_of_the_program_and_its_channels_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == shipped(ROOT / "src/daybook", "daybook") | shipped(ROOT / "projections", "daybook_projections")


def test_an_installed_wheel_runs_and_finds_its_channels_and_its_sql(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "installed"
    venv.create(home, with_pip=False, symlinks=True)
    python = str(home / "bin" / "python")
    (packages,) = (home / "lib").glob("python3*/site-packages")
    run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", str(wheel)],
        tmp_path,
    )
    # What Daybook needs is taken from here; Daybook itself is not: links are followed from one folder only.
    (packages / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")

    places, channels, migrations = run([python, "-I", "-c", SHOWN], tmp_path).splitlines()

    assert all(place.startswith(str(home)) for place in places.split())
    assert channels.split() == sorted(declared())
    assert migrations == " ".join(str(len(files(package))) for _, package in LINES)
    assert "catalogue" in run([str(home / "bin" / "daybook"), "--help"], tmp_path)
