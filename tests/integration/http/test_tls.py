"""The API behind TLS: modern protocols alone, and a certificate that is renewed while everything runs."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from daybook.config import from_environment
from daybook.errors import BadConfiguration
from daybook.http_settings import HttpSettings
from daybook.server import listener
from daybook.server.tls import Certificate
from tests.fixtures.served import served
from tests.fixtures.waiting import until

GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Authority:
    """Makes certificates for localhost, and contexts of clients that trust them."""

    def __init__(self, folder: Path) -> None:
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self._ca = trustme.CA()
        self.renew()

    def renew(self) -> None:
        """Writes a new pair, as a program that renews does: a new file in the place of the old one."""
        made = self._ca.issue_cert("localhost")
        for file, content in (
            (self.key, made.private_key_pem.bytes()),
            (self.cert, b"".join(one.bytes() for one in made.cert_chain_pems)),
        ):
            fresh = file.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_bytes(content)
            fresh.replace(file)

    def context(self, **versions: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        for name, version in versions.items():
            setattr(context, name, version)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def port(database: str, authority: Authority) -> Iterator[int]:
    with served(database, HttpSettings(tls_cert=authority.cert, tls_key=authority.key)) as port:
        yield port


def connected(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname="localhost")


def serial(client: ssl.SSLSocket) -> str:
    return str((client.getpeercert() or {})["serialNumber"])


def test_requests_are_answered_and_browsers_told_to_stay_with_tls(port: int, authority: Authority) -> None:
    with connected(port, authority.context()) as client:
        client.sendall(GET)
        answer = client.recv(65536)
        assert client.version() == "TLSv1.3"
    assert b" 200 " in answer and b"strict-transport-security: max-age=" in answer.lower()


def test_plain_http_and_old_versions_are_not_spoken(port: int, authority: Authority) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        plain.sendall(GET)
        assert b"HTTP/1.1" not in plain.recv(65536)
    with pytest.warns(DeprecationWarning):
        old = authority.context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connected(port, old)
    with connected(port, authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)) as client:
        assert client.version() == "TLSv1.2"


def test_a_renewed_certificate_is_that_of_new_connections_and_old_ones_go_on(port: int, authority: Authority) -> None:
    with connected(port, authority.context()) as before:
        first = serial(before)
        authority.renew()

        def renewed() -> bool:
            with connected(port, authority.context()) as after:
                return serial(after) != first

        until(renewed, "new connections have the new certificate")
        before.sendall(GET)
        assert b" 200 " in before.recv(65536)


def test_a_handshake_that_does_not_come_ends_its_connection(
    database: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_SECONDS", 0.4)
    http = HttpSettings(tls_cert=authority.cert, tls_key=authority.key, connections=4)
    with served(database, http) as port:
        silent = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(3)]
        assert [one.recv(1) for one in silent[:1]] == [b""]
        with connected(port, authority.context()) as client:
            client.sendall(GET)
            assert b" 200 " in client.recv(65536)
        for one in silent:
            one.close()


def test_a_pair_that_does_not_fit_stops_the_start_and_leaves_a_running_server_as_it_is(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    running = Certificate(authority.cert, authority.key)
    context = running.context
    other = tmp_path / "other"
    other.mkdir()
    Authority(other).key.replace(authority.key)
    running.refresh()
    running.refresh()
    assert running.context is context
    assert [one.levelname for one in caplog.records] == ["WARNING"]
    with pytest.raises(BadConfiguration, match="DAYBOOK_TLS_CERT"):
        Certificate(authority.cert, authority.key)
    authority.renew()
    running.refresh()
    assert running.context is not context


def test_the_settings_take_a_certificate_with_its_key_that_nobody_else_can_read(authority: Authority) -> None:
    given = {"DAYBOOK_TLS_CERT": str(authority.cert), "DAYBOOK_TLS_KEY": str(authority.key)}
    assert from_environment(given).http.scheme == "https"
    for name in given:
        with pytest.raises(BadConfiguration, match="is not set: TLS takes a certificate and its key"):
            from_environment({name: given[name]})
    authority.key.chmod(0o644)
    with pytest.raises(BadConfiguration, match="can be read by everybody here"):
        from_environment(given)
