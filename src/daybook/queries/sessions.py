"""Who is logged in with a browser."""

from datetime import datetime

import msgspec

from daybook.access.decisions import known_user
from daybook.authentication.sessions import LoginSession, Sessions
from daybook.log.reader import Reader


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A login that holds, or did until now."""

    session: str
    login: str
    identity: str
    """By whose word."""
    began_at: datetime
    last_used_at: datetime
    """To the minute."""
    expires_at: datetime
    """It ends then at the latest."""


def standing(reader: Reader, sessions: Sessions, named: str | None = None) -> list[SessionView]:
    """Of everybody, or of one user by login or id, the newest first. Raises NotFound.

    One whose identity was untied is taken no more, and is not listed.
    """
    state = reader.access()
    user = None if named is None else known_user(state, named).user
    found = [(one, state.users.get(one.user)) for one in sessions.standing(user)]
    return [_view(one, user.login) for one, user in found if user is not None and one.identity in user.identities]


def ended(reader: Reader, session: LoginSession) -> SessionView:
    """One that was ended."""
    user = reader.access().users.get(session.user)
    return _view(session, session.user if user is None else user.login)


def _view(one: LoginSession, login: str) -> SessionView:
    return SessionView(
        session=one.session,
        login=login,
        identity=one.identity,
        began_at=one.began_at,
        last_used_at=one.last_used_at,
        expires_at=one.expires_at,
    )
