"""Getting to a NATS that asks who one is; why one does not get there is told, and never with the password."""

import asyncio

import pytest
from nats.aio.transport import TcpTransport

from daybook.errors import Unavailable
from daybook.stream.connection import Nats
from tests.fixtures.commandline import Daybook
from tests.fixtures.nats_servers import nats_server

PASSWORD, ENCODED = "p#/?@%+: w", "p%23%2F%3F%40%25+%3A%20w"


async def reached(url: str) -> bool:
    nats = Nats(url, "test")
    await nats.open()
    connected = nats.connected
    await nats.close()
    return connected


def test_a_percent_encoded_password_opens_the_server_that_knows_it_plain() -> None:
    with nats_server(authorization={"user": "ada", "password": PASSWORD}) as server:
        assert asyncio.run(reached(f"nats://ada:{ENCODED}@{server.address}"))


def test_a_percent_encoded_token_opens_the_server_that_knows_it_plain() -> None:
    with nats_server(authorization={"token": PASSWORD}) as server:
        assert asyncio.run(reached(f"nats://{ENCODED}@{server.address}"))


def test_a_wrong_password_is_told_as_that_and_not_shown() -> None:
    with nats_server(authorization={"user": "ada", "password": PASSWORD}) as server:
        with pytest.raises(Unavailable, match=r"can't be reached at nats://ada:\*+@.*: .*[Aa]uthorization") as caught:
            asyncio.run(reached(f"nats://ada:s3cret@{server.address}"))
        assert "s3cret" not in str(caught.value)


def test_whoever_gives_up_while_a_refusal_arrives_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(url: str) -> None:
        connecting = asyncio.create_task(Nats(url, "test").open())
        readline = TcpTransport.readline

        async def at_the_worst_moment(transport: TcpTransport) -> bytes:
            line: bytes = await readline(transport)  # type: ignore[no-untyped-call]
            if b"-ERR" in line:
                connecting.cancel()  # the client's wait is over already: Python 3.11 gives it the line instead
            return line

        monkeypatch.setattr(TcpTransport, "readline", at_the_worst_moment)
        monkeypatch.setattr("daybook.stream.connection.CONNECT_SECONDS_MAX", 100)
        await asyncio.wait([connecting], timeout=5)
        assert connecting.cancelled()

    with nats_server(authorization={"user": "ada", "password": PASSWORD}) as server:
        asyncio.run(scenario(f"nats://ada:s3cret@{server.address}"))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nats://ada:s3cret@127.0.0.1:1", "Connect call failed"),
        ("nats://ada:s3cret@no-such-host.invalid:1", "not known|resolution|No address"),
    ],
)
def test_a_server_that_is_not_there_is_told_with_the_reason_and_not_the_password(address: str, reason: str) -> None:
    with pytest.raises(Unavailable, match=rf"NATS can't be reached at nats://ada:\*+@[^ ]+: .*({reason})") as caught:
        asyncio.run(reached(address))
    assert "s3cret" not in str(caught.value)


def test_no_part_of_a_password_is_in_what_the_command_line_shows(database: str) -> None:
    wrong = {"DAYBOOK_POSTGRES": "postgresql://ada:s3c#ret@db/book", "DAYBOOK_NATS": "nats://ada:s3c%ret@bus"}
    for variable, address in wrong.items():
        answer = Daybook({variable: address})("config")
        assert answer.code == 7 and variable in answer.stderr
        assert "s3c" not in answer.stderr + answer.stdout and "ret" not in answer.stderr + answer.stdout
    shown = Daybook({"DAYBOOK_POSTGRES": f"{database}&password=s3cret", "DAYBOOK_NATS": "nats://ada:s3%23@bus"})(
        "config"
    )
    assert shown.code == 0 and "s3" not in shown.stdout
    odd = Daybook({"DAYBOOK_POSTGRES": "host=db password=s3c ret=", "DAYBOOK_NATS": "nats://127.0.0.1:1"})(
        "channel", "list"
    )
    assert odd.code == 7 and "DAYBOOK_POSTGRES can't be read" in odd.stderr and "s3c" not in odd.stderr
