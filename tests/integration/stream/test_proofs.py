"""Showing a NATS server who one is with a key, a `.creds` file or a certificate, and knowing that it is the one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from daybook.config import from_environment
from daybook.errors import BadConfiguration, Unavailable
from daybook.stream.connection import Nats
from tests.fixtures.credentials import creds, user_key
from tests.fixtures.nats_servers import nats_server


def reached(**variables: Any) -> bool:
    """Whether these settings lead to a server. Raises what stands in the way."""
    settings = from_environment({f"DAYBOOK_NATS{name}": str(one) for name, one in variables.items()})

    async def connect() -> bool:
        nats = Nats(settings.require_nats(), "test")
        await nats.open()
        await nats.client.flush()
        await nats.close()
        return True

    return asyncio.run(connect())


def test_an_nkey_opens_the_server_that_knows_its_public_half(tmp_path: Path) -> None:
    key, other = user_key(), user_key()
    file = tmp_path / "relay.nk"
    with nats_server(authorization={"users": [{"nkey": key.public}]}) as server:
        file.write_bytes(key.seed + b"\n")
        assert reached(**{"": f"nats://{server.address}", "_NKEY": file})
        file.write_bytes(other.seed)
        with pytest.raises(Unavailable, match=r"(?i)authorization"):
            reached(**{"": f"nats://{server.address}", "_NKEY": file})


def test_a_creds_file_opens_the_server_whose_operator_vouches_for_it(tmp_path: Path) -> None:
    file, trusted = creds(tmp_path)
    with nats_server(**trusted) as server:
        assert reached(**{"": f"nats://{server.address}", "_CREDS": file})
        other, _ = creds(tmp_path)
        with pytest.raises(Unavailable, match=r"(?i)authorization"):
            reached(**{"": f"nats://{server.address}", "_CREDS": other})


@pytest.mark.parametrize(("variable", "kind"), [("_CREDS", "no .creds file"), ("_NKEY", "no seed")])
def test_a_file_of_another_kind_is_told_and_never_waited_for(tmp_path: Path, variable: str, kind: str) -> None:
    file = tmp_path / "odd"
    file.write_text("s3cret\n")
    with pytest.raises(Unavailable, match=kind) as caught:
        reached(**{"": "nats://127.0.0.1:1", variable: file})
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there_is_named_when_the_program_starts(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=f"DAYBOOK_NATS_CA: {tmp_path / 'gone'} can't be read"):
        from_environment({"DAYBOOK_NATS": "nats://x", "DAYBOOK_NATS_CA": str(tmp_path / "gone")})


class Certificates:
    """A CA's file, and what it vouches for."""

    def __init__(self, folder: Path) -> None:
        self._ca, self._folder = trustme.CA(), folder
        self.ca = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca)

    def issue(self, name: str) -> tuple[Path, Path]:
        """Files with a certificate for this name or address, and with its key."""
        cert, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        issued = self._ca.issue_cert(name)
        issued.cert_chain_pems[0].write_to_path(cert)
        issued.private_key_pem.write_to_path(key)
        return cert, key


@pytest.fixture
def certificates(tmp_path: Path) -> Iterator[Certificates]:
    yield Certificates(tmp_path)


def tls(certificates: Certificates, name: str, **more: Any) -> dict[str, Any]:
    cert, key = certificates.issue(name)
    return {"tls": {"cert_file": str(cert), "key_file": str(key)} | more}


@pytest.mark.long
def test_a_server_is_believed_when_the_ca_vouches_for_its_name(certificates: Certificates, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Certificates(tmp_path / "other")
    with nats_server(**tls(certificates, "127.0.0.1")) as server:
        assert reached(**{"": f"tls://{server.address}", "_CA": certificates.ca})
        assert reached(**{"": f"nats://{server.address}", "_CA": certificates.ca})
        for given in ({"_CA": other.ca}, {}):
            with pytest.raises(Unavailable, match=r"(?i)certificate verify failed"):
                reached(**{"": f"tls://{server.address}"} | given)
    misnamed = pytest.raises(Unavailable, match=r"(?i)IP address mismatch|certificate verify failed")
    with nats_server(**tls(certificates, "bus.example")) as server, misnamed:
        reached(**{"": f"tls://{server.address}", "_CA": certificates.ca})


def test_a_server_that_asks_for_a_certificate_gets_daybooks_own(certificates: Certificates) -> None:
    cert, key = certificates.issue("relay")
    asks = tls(certificates, "127.0.0.1", ca_file=str(certificates.ca), verify=True)
    with nats_server(**asks) as server:
        place = {"": f"tls://{server.address}", "_CA": certificates.ca}
        assert reached(**place, _CERT=cert, _KEY=key)
        with pytest.raises(Unavailable):
            reached(**place)
