"""TLS on every way to the servers, with certificates that the test makes: who is in the middle gets nothing."""

import asyncio
import http.client
import json
import ssl
from pathlib import Path

import psycopg
import pytest
import trustme
from psycopg import sql

from daybook.addresses import with_nats, with_postgres
from daybook.commands import ChangePrice
from daybook.embedded.postgres import PostgresServer
from daybook.errors import Unavailable
from daybook.http_settings import HttpSettings
from daybook.postgres import roles
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import connect
from tests.fixtures.channels import ToySandbox
from tests.fixtures.nats_servers import nats_server
from tests.fixtures.owner import SHOWN
from tests.fixtures.pipeline import product, until
from tests.fixtures.served import served
from tests.fixtures.servers import ServerPair
from tests.fixtures.tls_doors import tls_door
from tests.fixtures.toy_shop import shop

pytestmark = pytest.mark.long

ODD = """p'w \\ #/?@%:&= é"""
"""A password of any characters."""


def issued(ca: trustme.CA, folder: Path, name: str) -> tuple[Path, Path]:
    """Files with a certificate for this address or name, and with its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    made = ca.issue_cert(name)
    made.cert_chain_pems[0].write_to_path(cert)
    made.private_key_pem.write_to_path(key)
    return cert, key


def ask_for_passwords(server: PostgresServer, cluster: Path) -> None:
    """From now on nobody is let in without a password; the owner's is ODD, and it may make roles."""
    with psycopg.connect(server.dsn_of("postgres"), autocommit=True) as conn:
        verifier = conn.pgconn.encrypt_password(ODD.encode(), b"daybook", b"scram-sha-256").decode()
        conn.execute(sql.SQL("ALTER ROLE daybook CREATEROLE PASSWORD {}").format(verifier))
        (cluster / "pg_hba.conf").write_text("local all daybook scram-sha-256\nlocal all all trust\n")
        conn.execute("SELECT pg_reload_conf()")


def change_price(port: int, ca: trustme.CA, amount: str) -> None:
    """Changes a price over HTTPS, as a client that trusts this authority."""
    context = ssl.create_default_context()
    ca.configure_trust(context)
    client = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    headers = {**SHOWN, "Content-Type": "application/json"}
    try:
        client.request("PUT", "/api/v1/products/A/prices/default/EUR", json.dumps({"amount": amount}), headers)
        answer = client.getresponse()
        assert answer.status == 200, answer.read()
        assert answer.headers["Strict-Transport-Security"]
    finally:
        client.close()


def plainly(port: int) -> None:
    """The same without TLS."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        client.request("GET", "/api/v1/products/A", headers=SHOWN)
        client.getresponse()
    except http.client.BadStatusLine as error:
        raise ConnectionError from error
    finally:
        client.close()


def price_of(sandbox: ToySandbox) -> object:
    """What the shop asks for."""
    return sandbox.offers["A"]["price"]["price"]


async def test_changes_reach_a_shop_over_tls_alone_and_a_server_that_nobody_vouches_for_gets_nothing(
    servers: ServerPair, tmp_path: Path
) -> None:
    ca, other = trustme.CA(), trustme.CA()
    for name, one in (("ca", ca), ("other", other)):
        one.cert_pem.write_to_path(tmp_path / f"{name}.pem")
    server_cert, server_key = issued(ca, tmp_path, "127.0.0.1")
    cert, key = issued(ca, tmp_path, "daybook")
    tls: dict[str, object] = {"cert_file": str(server_cert), "key_file": str(server_key)}
    tls |= {"ca_file": str(tmp_path / "ca.pem"), "verify": True}
    given = psycopg.conninfo.conninfo_to_dict(servers.postgres.dsn)
    ask_for_passwords(servers.postgres, servers.data / "postgres")
    socket_file = f"{given['host']}/.s.PGSQL.{given['port']}"
    with tls_door(socket_file, server_cert, server_key) as door, nats_server(tls=tls) as nats:
        port = door.listening.getsockname()[1]
        place = f"postgresql://daybook@127.0.0.1:{port}/daybook?sslmode=verify-full&sslrootcert={tmp_path}"
        dsn = with_postgres(f"{place}/ca.pem", None, ODD)
        migrate(dsn)
        roles.make_roles(dsn, {"append": ODD})
        proof = {"ca": str(tmp_path / "ca.pem"), "cert": str(cert), "key": str(key)}
        url = with_nats("DAYBOOK_NATS", f"tls://{nats.address}", None, None, None, proof)

        async with shop(dsn, url) as (pipeline, sandbox):
            await pipeline.carry_out(product("A"), ChangePrice(sku="A", amount="7.77", currency="EUR"))
            await pipeline.level()
            assert sandbox.offers["A"]["price"] == {"price": 777}
            doors = HttpSettings(tls_cert=server_cert, tls_key=server_key)
            with served(dsn, doors) as api:
                await asyncio.to_thread(change_price, api, ca, "8.88")
                with pytest.raises(ssl.SSLCertVerificationError):
                    await asyncio.to_thread(change_price, api, other, "9.99")
                with pytest.raises(ConnectionError):
                    await asyncio.to_thread(plainly, api)
            await until(lambda: pipeline.status().level and price_of(sandbox) == 888, "the shop has it")

        with connect(with_postgres(f"{place}/ca.pem", "daybook_append", ODD), "test") as conn:
            assert conn.execute("SELECT current_user").fetchone() == ("daybook_append",)
        with pytest.raises(Unavailable, match="certificate verify failed"):
            connect(with_postgres(f"{place}/other.pem", None, ODD), "test")
        with pytest.raises(Unavailable, match="password authentication failed"):
            connect(with_postgres(f"{place}/ca.pem", None, "wrong"), "test")
        assert door.shown_out == 0, "nothing of Daybook's came without TLS"
