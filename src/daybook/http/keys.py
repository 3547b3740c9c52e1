"""API keys. A secret is told once, to whoever had the key made."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from daybook import limits
from daybook.access.keys import PREFIX, hash_of, parse, spelled
from daybook.app import App
from daybook.commands.access import MakeKey, RevokeKey, RotateKey, stream_of
from daybook.errors import InvalidValue
from daybook.ids import new_secret, short_id
from daybook.queries import access
from daybook.queries.access import KeyView
from daybook.web.caller import Caller
from daybook.web.declared import COMMAND, QUESTION, created
from daybook.web.dependencies import InjectedApp, InjectedCaller
from daybook.web.moments import At, Position, moment
from daybook.web.needs import needs
from daybook.web.responses import Receipt, carry_out

PATH = "/api/v1/keys"
HOURS_MAX = 8760
_LOGIN = {"minLength": 1, "maxLength": limits.FILTER.most}
OfUser = Annotated[str | None, QueryParameter(name="user", description="Only this user's.", schema_extra=_LOGIN)]


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make."""

    user: str
    """Login or id."""
    label: str | None = None
    """What it is for."""
    expires_at: datetime | None = None
    """With a time zone."""


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a key is replaced."""

    hours: float = 24.0
    """So long both are taken."""


class NewKeyReceipt(Receipt, frozen=True, kw_only=True):
    """What the command did, and the key. This is the only time that it is told."""

    id: str
    key: str


@get("/keys", **QUESTION, **needs("key.read"), summary="The keys")
def list_keys(app: InjectedApp, user: OfUser = None, at: At = None, position: Position = None) -> list[KeyView]:
    """Never their secrets: whose, what for, whether it is taken, when it was last used."""
    return access.keys(app.reader, moment(app.reader, at, position), app.access.uses.last(), user)


@post(
    "/keys",
    **(COMMAND | {"responses": COMMAND["responses"] | created(NewKeyReceipt)}),
    **needs("key.make", command=True),
    summary="Make a key",
)
def make_key(app: InjectedApp, caller: InjectedCaller, data: JSONBody[NewKey]) -> Response[NewKeyReceipt]:
    """The answer has the key, once. Takes no Idempotency-Key: a secret can't be told again."""
    key, shown = _new(caller)
    wish = MakeKey(
        user=data.user, key=shown.id, hash=hash_of(shown.secret), label=data.label, expires_at=data.expires_at
    )
    state = app.reader.access()
    user = state.user_of(data.user)
    return _told(app, caller, wish, stream_of(user.login if user else data.user), shown.id, key)


@post(
    "/keys/{key:str}/rotate",
    **(COMMAND | {"responses": COMMAND["responses"] | created(NewKeyReceipt)}),
    **needs("key.make", command=True),
    summary="Replace a key",
)
def rotate_key(
    app: InjectedApp, caller: InjectedCaller, key: FromPath[str], data: JSONBody[Rotation]
) -> Response[NewKeyReceipt]:
    """A key that takes this one's place; both are taken for a while. The answer has the new one, once."""
    if not 0 <= data.hours <= HOURS_MAX:
        raise InvalidValue("hours", f"must be between 0 and {HOURS_MAX}", data.hours)
    new, shown = _new(caller)
    ends = datetime.now(UTC) + timedelta(hours=data.hours)
    wish = RotateKey(key=key, successor=shown.id, hash=hash_of(shown.secret), ends_at=ends)
    return _told(app, caller, wish, _stream(app, key), shown.id, new)


@delete("/keys/{key:str}", **COMMAND, **needs("key.make", command=True), summary="Revoke a key")
def revoke_key(app: InjectedApp, caller: InjectedCaller, key: FromPath[str]) -> Response[Receipt]:
    """It is refused within a second by every process. `X-Reason` says why."""
    return carry_out(app, caller, RevokeKey(key=key), _stream(app, key))


def _new(caller: Caller) -> Any:
    if caller.repeatable:
        raise InvalidValue(
            "Idempotency-Key",
            "a key's secret is told once and can't be repeated: leave it out, and revoke what is too many",
        )
    key = spelled(short_id(PREFIX), new_secret())
    return key, parse(key)


def _told(
    app: App, caller: Caller, wish: MakeKey | RotateKey, stream: str, key_id: str, key: str
) -> Response[NewKeyReceipt]:
    done = carry_out(app, caller, wish, stream, f"{PATH}/{key_id}")
    body = NewKeyReceipt(**msgspec.structs.asdict(done.content), id=key_id, key=key)
    return Response(body, status_code=201, headers={**done.headers, "Cache-Control": "no-store"})


def _stream(app: App, key: str) -> str:
    state = app.reader.access()
    known = state.keys.get(key)
    return stream_of(state.users[known.user].login if known else "")


ROUTES: tuple[Any, ...] = (list_keys, make_key, rotate_key, revoke_key)
