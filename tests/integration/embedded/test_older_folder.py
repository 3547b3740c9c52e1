"""A data folder of an earlier Daybook, open to everybody and worked on as superuser, is closed at the next start."""

import asyncio
import os
import stat
from pathlib import Path

import nats
import psycopg
import pytest

from daybook.embedded.nats import NatsServer
from daybook.embedded.postgres import PostgresServer
from daybook.embedded.servers import Servers
from daybook.errors import Unavailable
from daybook.postgres import roles
from daybook.postgres.migrate import migrate
from daybook.stream.connection import Nats
from daybook.stream.permissions import USERS
from tests.fixtures.logs import context, happened, opened

OURS = {"nats.conf", "nats.port", "nats.users", "lock", "servers.json", "logs", "nats", "nats.ports"}
ENTERED_BY_OTHERS = 0o011 if os.geteuid() == 0 else 0
"""Root's Postgres runs as another account, which has to pass the folder on its way; nobody can list it."""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def stored(url: str) -> int:
    client = await nats.connect(url)
    info = await client.jetstream().stream_info("DAYBOOK")
    await client.close()
    return info.state.messages


async def store(url: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().add_stream(name="DAYBOOK", subjects=["daybook.*.*.*"])
    await client.jetstream().publish("daybook.product.created.1", b"kept")
    await client.close()


@pytest.fixture
def older(data_folder: Path) -> Path:
    """A book whose tables belong to the superuser, a stream, and a folder that everybody may read."""
    with PostgresServer.start(data_folder) as postgres, NatsServer.start(data_folder) as server:
        superuser = postgres.dsn_of("daybook")
        migrate(superuser)
        with opened(superuser) as (log, _):
            log.append(happened("stock/A", 1), context())
        with psycopg.connect(superuser, autocommit=True) as conn:
            conn.execute("ALTER DATABASE daybook OWNER TO postgres")
            conn.execute("DROP ROLE daybook")
        asyncio.run(store(server.url))
    (data_folder / "nats.users").unlink()
    (data_folder / "lock").touch()
    data_folder.chmod(0o755)
    for path in data_folder.iterdir():
        if path.name in OURS:
            path.chmod(0o755 if path.is_dir() else 0o644)
    return data_folder


@pytest.mark.long
def test_an_older_folder_is_closed_and_its_book_goes_on_without_a_superuser(older: Path) -> None:
    users = {name: permitted.of(name) for name, permitted in USERS.items()}
    with Servers.start(older, users=users, roles=roles.NAMES) as servers:
        assert mode(older) == 0o700 | ENTERED_BY_OTHERS
        open_to_others = {path.name for path in older.iterdir() if path.name in OURS and mode(path) & 0o077}
        assert open_to_others == set()

        roles.make_roles(servers.postgres_dsn)
        with psycopg.connect(servers.postgres_dsn) as conn:
            assert conn.execute(
                "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
            ).fetchone() == ("daybook", False, False)
            others = conn.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                "AND relowner <> 'daybook'::regrole"
            ).fetchall()
        assert others == []
        with opened(servers.postgres_dsn_of("daybook_append")) as (log, reader):
            log.append(happened("stock/A", 2), context())
            assert reader.head() == 2
        assert asyncio.run(stored(servers.nats_url)) == 1


def test_a_nats_without_a_password_is_none_and_each_start_knows_the_same_ones(data_folder: Path) -> None:
    with NatsServer.start(data_folder) as server:
        first = server.url
        assert "@" in first
        with pytest.raises(Unavailable, match=r"(?i)authorization"):
            asyncio.run(Nats(f"nats://{first.partition('@')[2]}", "test").open())
    with NatsServer.start(data_folder, users={"api": {"publish": ["x"], "subscribe": []}}) as server:
        assert server.url == first
        assert mode(data_folder / "nats.users") == mode(data_folder / "nats.conf") == 0o600
