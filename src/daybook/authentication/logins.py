"""Logins and their ends: events first, then what requests are compared with."""

import asyncio
import hmac
import logging

import msgspec

from daybook.access.authority import Denied, Principal, allowed_in
from daybook.access.identities import IssuedSubject
from daybook.access.sessions import PresentedSession
from daybook.authentication.current import CurrentAccess
from daybook.authentication.sessions import LoginSession, Sessions, new_session
from daybook.errors import Forbidden, NotFound, Unauthenticated
from daybook.events.access import SESSIONS_KEY, AccessRefused, SessionBegan, SessionEnded
from daybook.identity.login import BegunLogin
from daybook.identity.token import Subject
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent

log = logging.getLogger("daybook.authentication")

SOURCE = "login"
OF_BROWSERS = (b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"x-csrf-token")
"""Headers that tell whose page sends a request."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Logins:
    """One for each process. Thread-safe."""

    def __init__(self, log: Log, sessions: Sessions, access: CurrentAccess, address: str | None) -> None:
        """`address` is the origin of our own pages."""
        self._log = log
        self._access = access
        self._address = address
        self.sessions = sessions

    async def begin(self, begun: BegunLogin, subject: Subject, before: PresentedSession | None) -> str:
        """What the browser gets. It is new, whatever the browser showed before, and that ends.

        Raises Unauthenticated for a subject who is nobody here and for a login that began a session before, and
        Unavailable.
        """
        principal = await self._access.of_subject(IssuedSubject(subject.issuer, subject.subject))
        shown = await asyncio.to_thread(self._begin, begun, principal)
        if shown is None:
            await self._access.refuse(AccessRefused(reason="repeated_login", user=principal.user))
            raise Unauthenticated("this login was used before: begin again at /auth/login", reason="repeated_login")
        if before is not None:
            await asyncio.to_thread(self._replace, before)
        return shown

    def _begin(self, begun: BegunLogin, principal: Principal) -> str | None:
        assert principal.user is not None and principal.credential is not None
        session, expires_at, mark = new_session(), self.sessions.expiry(), begun.mark()
        context = Context.new(principal.login, SOURCE, command_id=f"login-{mark[:40]}")
        happened = SessionBegan(
            user=principal.user, session=session, identity=principal.credential, expires_at=expires_at
        )
        (appended,) = self._log.record([(context, [_event(session, happened)])])
        if appended.repeated:
            return None
        return self.sessions.begin(session, principal.user, principal.credential, mark, expires_at)

    def _replace(self, before: PresentedSession) -> None:
        found = self.sessions.find(before)
        if found is not None:
            self._end(found, Context.new(self._login_of(found), SOURCE), "login")

    def logout(self, shown: PresentedSession) -> None:
        """Ends the session that a browser shows, if it holds. Raises Unavailable."""
        found = self.sessions.find(shown)
        if found is not None:
            self._end(found, Context.new(self._login_of(found), SOURCE), "logout")

    def end(self, session: str, context: Context) -> LoginSession:
        """Ends anybody's session. Raises NotFound for one that does not hold, and Unavailable."""
        found = next((one for one in self.sessions.standing() if one.session == session), None)
        if found is None or not self._end(found, context, "ended"):
            raise NotFound(f"session: nobody is logged in as {session!r}: `daybook access sessions` has them")
        return found

    def _end(self, found: LoginSession, context: Context, how: str) -> bool:
        """Ends it, which counts, and then tells it: a session that could not be told is ended all the same."""
        if self.sessions.end(found.session) is None:
            return False
        ended = SessionEnded(user=found.user, session=found.session, how=how)  # type: ignore[arg-type]
        self._log.record([(context, [_event(found.session, ended)])])
        return True

    def _login_of(self, found: LoginSession) -> str:
        user = self._access.state().users.get(found.user)
        return found.user if user is None else user.login

    async def principal(self, shown: PresentedSession) -> Principal:
        """Who a browser's session is. Raises Unauthenticated and Unavailable."""
        return (await self.who(shown))[0]

    async def who(self, shown: PresentedSession) -> tuple[Principal, LoginSession]:
        """The same with the session. One of a user whose identity was untied holds no more."""
        found = self.sessions.known(shown) or await asyncio.to_thread(self.sessions.find, shown)
        user = None if found is None else (await self._access.fresh()).users.get(found.user)
        if found is None or user is None or found.identity not in user.identities:
            raise Unauthenticated("nobody is logged in, or not any more: log in at /auth/login")
        principal = allowed_in(user, found.session)
        if isinstance(principal, Denied):
            raise Unauthenticated(principal.message, reason=principal.reason)
        return msgspec.structs.replace(principal, rests_on=found.identity), found

    async def check_own_page(self, shown: PresentedSession, principal: Principal, request: "BrowserRequest") -> None:
        """Raises Forbidden unless the request comes from a page of our own. A browser sends a cookie for any page."""
        if (why := request.foreign(shown, self._address)) is not None:
            await self._access.refuse(
                AccessRefused(reason="foreign_page", user=principal.user, key=principal.credential)
            )
            raise Forbidden(
                f"{why}: a request with a session must come from a page of this server", reason="foreign_page"
            )


class BrowserRequest:
    """What a browser says of a request beside its session."""

    def __init__(self, method: str, path: str, headers: dict[bytes, str]) -> None:
        self._method, self._path, self._headers = method, path, headers

    def foreign(self, shown: PresentedSession, address: str | None) -> str | None:
        """Why the request may be somebody else's page's; None when it is ours.

        Reading needs no token, as no other origin can read the answer; but what it leaves in the log (who was shown
        what) is no link's business either, so the API takes no navigation from elsewhere.
        """
        site = self._headers.get(b"sec-fetch-site")
        if self._method in _SAFE:
            navigates = self._headers.get(b"sec-fetch-mode") == "navigate" and not self._path.startswith("/api/")
            ours = site in (None, "same-origin", "none") or navigates
            return None if ours else f"`Sec-Fetch-Site` is {site}"
        if site not in (None, "same-origin"):
            return f"`Sec-Fetch-Site` is {site}"
        if address is None or self._headers.get(b"origin") != address:
            return "`Origin` is not this server's"
        token = self._headers.get(b"x-csrf-token", "")
        if not hmac.compare_digest(token.encode("utf-8", "replace"), shown.forgery_token().encode()):
            return "`X-CSRF-Token` is missing or wrong: `GET /auth/me` has it"
        return None


def _event(session: str, happened: SessionBegan | SessionEnded) -> NewEvent:
    return NewEvent(f"session/{session}", 0, happened, None, SESSIONS_KEY)
