"""Logins that come at the same moment, in one process and in several."""

import asyncio
from pathlib import Path

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands.access import AddUser, link_of
from daybook.config import Settings
from daybook.errors import Unauthenticated
from daybook.events import SessionBegan
from daybook.identity.login import BegunLogin
from daybook.identity.token import Subject
from daybook.log.pending import Context

ISSUER = "https://id.example"


async def test_one_login_begins_one_session_however_often_and_wherever_its_answer_comes(database: str) -> None:
    settings = Settings(data=Path("unused"), postgres=database)
    begun, subject = BegunLogin("main", "A" * 43, "/"), Subject(ISSUER, "7", 2e9)
    with App(settings, Registry([])) as one, App(settings, Registry([])) as other:
        first = AddUser(user="usr_mia", login="mia")
        one.book.carry_out(link_of("mia", "oid_mia", ISSUER, "7", (), first), Context.new("ann", "test"))

        found = await asyncio.gather(
            *(app.logins.begin(begun, subject, None) for app in (one, other) * 4), return_exceptions=True
        )

        refused = [one for one in found if isinstance(one, Unauthenticated)]
        assert (len(refused), len([shown for shown in found if isinstance(shown, str)])) == (7, 1)
        assert {str(error.details["reason"]) for error in refused} == {"repeated_login"}
        assert len(one.logins.sessions.standing()) == 1
        assert sum(isinstance(event.event, SessionBegan) for event in one.reader.after(0, 100)) == 1
