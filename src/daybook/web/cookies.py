"""The two cookies: what a browser shows of its login, and what it keeps of one that has begun.

`__Host-` binds them to this very host, over https and for all of its paths, so that no neighbour can plant one. Pages
can't read them, and another site's requests carry them only when somebody follows a link.
"""

import re

from litestar.datastructures import Cookie

from daybook.access.sessions import PresentedSession, parse_session
from daybook.identity.login import BegunLogin, parse_begun

SESSION, LOGIN = "__Host-daybook", "__Host-daybook-login"
LOGIN_SECONDS = 600
"""So long somebody may take at the provider."""
_ANOTHER = re.compile(r"[;,]\s*")


def session_in(cookies: str | None) -> PresentedSession | None:
    """What the browser shows of its login; None for nothing, and for what is shown twice."""
    found = _value(cookies, SESSION)
    return None if found is None else parse_session(found)


def login_in(cookies: str | None) -> BegunLogin | None:
    """What the browser kept of a login that has begun."""
    found = _value(cookies, LOGIN)
    return None if found is None else parse_begun(found)


def keep_session(shown: str) -> Cookie:
    """The cookie of a login. It has no time of its own: the server knows when it ends."""
    return _cookie(SESSION, shown, None)


def keep_login(begun: BegunLogin) -> Cookie:
    """The cookie of a login that has begun."""
    return _cookie(LOGIN, begun.spelled(), LOGIN_SECONDS)


def forget(name: str) -> Cookie:
    """The browser forgets it."""
    return _cookie(name, "", 0)


def _cookie(name: str, value: str, seconds: int | None) -> Cookie:
    return Cookie(key=name, value=value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def _value(cookies: str | None, name: str) -> str | None:
    found = [one.partition("=")[2] for one in _ANOTHER.split(cookies or "") if one.partition("=")[0].strip() == name]
    return found[0] if len(found) == 1 else None
