"""Lets a user of Daybook send commands by NATS."""

import asyncio
import json

import msgspec

from daybook.embedded import nats_senders
from daybook.errors import InvalidValue, NotFound, Unavailable
from daybook.stream import permissions
from daybook.stream.connection import Nats
from daybook.stream.subjects import answers_to
from daybook.terminal.context import app_for_queries, settings
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, line, stacked

TRIES = 10


class AddedSender(msgspec.Struct, frozen=True, kw_only=True):
    """Where and as whom a system sends commands."""

    login: str
    subject: str
    """It publishes below this."""
    answers: str
    """It is answered below this, on the subject that a message names in `answerto`."""
    address: str | None
    """With its password; null when the server is elsewhere."""
    configuration: str | None = None
    """Of a server elsewhere: the user that its operator adds."""


def added(common: CommonOptions, login: str) -> AddedSender:
    """The user's way in. Raises NotFound for a user that there is not, InvalidValue for a login with a dot."""
    if "." in login:
        raise InvalidValue("login", "must have no dot to be a word of a NATS subject: add a service without one", login)
    with app_for_queries(common) as on:
        if on.access.state().user_of(login) is None:
            raise NotFound(f"there is no user {login}: `daybook user add {login} --service` adds it", login=login)
    found = settings(common)
    name, permitted = permissions.sender(login)
    address = configuration = None
    if found.nats is None:
        address, running = nats_senders.add(found.data, name, permitted.of(name))
        if running:
            asyncio.run(_check(address))
    else:
        user = {"user": name, "password": f"$NATS_{login.upper()}_PASSWORD", "permissions": permitted.of(name)}
        configuration = json.dumps(user)
    return AddedSender(
        login=login,
        subject=f"daybook-in.{login}.",
        answers=answers_to(login),
        address=address,
        configuration=configuration,
    )


async def _check(address: str) -> None:
    """Raises Unavailable when the server did not take the new user."""
    for left in reversed(range(TRIES)):
        one = Nats(address, "sender")
        try:
            await one.open()
            return
        except Unavailable as error:
            if not left:
                raise Unavailable(
                    f"the NATS server did not take the new user: start `daybook up` again. {error}"
                ) from error
            await asyncio.sleep(0.2)
        finally:
            await one.close()


def told(found: AddedSender) -> Show:
    """For a person: the address holds a password."""
    if found.address is None:
        where = [
            "The server is elsewhere: add this user to its configuration, and reload it:",
            str(found.configuration),
        ]
    else:
        where = [f"address   {found.address}", "It holds a password: hand it to that system alone."]
    said = [*where, f"subjects  {found.subject}>", f"answers   {found.answers}>"]
    return stacked(*(line(one) for one in said))
