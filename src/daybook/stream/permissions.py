"""What each user of NATS may do: the subjects that its role needs, and no other.

Nobody but the relay may publish events, and nobody but the relay and the operator may remove the stream. Answers go to
a subject of the user's own, so that no role hears what another one asked.
"""

import msgspec

from daybook.stream.subjects import (
    ANSWERS,
    INBOX_STREAM,
    STREAM,
    SUBJECTS,
    answers_to,
    wake_delivery,
    wake_log,
)

_INFO = "$JS.API.INFO"
_WITNESS = f"$JS.API.STREAM.INFO.{STREAM}"
_ASK = (_WITNESS, f"$JS.API.STREAM.MSG.GET.{STREAM}")
_READ = (
    *_ASK,
    f"$JS.API.CONSUMER.CREATE.{STREAM}",
    f"$JS.API.CONSUMER.CREATE.{STREAM}.>",
    f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.*",
    f"$JS.API.CONSUMER.DELETE.{STREAM}.*",
)
_TAKE = (
    *(f"$JS.API.STREAM.{verb}.{INBOX_STREAM}" for verb in ("INFO", "CREATE", "PURGE")),
    f"$JS.API.CONSUMER.CREATE.{INBOX_STREAM}",
    f"$JS.API.CONSUMER.CREATE.{INBOX_STREAM}.>",
    f"$JS.API.CONSUMER.MSG.NEXT.{INBOX_STREAM}.*",
    f"$JS.API.CONSUMER.DELETE.{INBOX_STREAM}.*",
    f"{ANSWERS}.>",
)
_KEEP = tuple(f"$JS.API.STREAM.{verb}.{STREAM}" for verb in ("CREATE", "UPDATE", "DELETE"))


class Permissions(msgspec.Struct, frozen=True):
    """Subjects, beside the user's own inbox."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...] = ()

    def of(self, user: str) -> dict[str, list[str]]:
        """As the server's configuration wants them: what is not named is not permitted."""
        return {"publish": list(self.publish), "subscribe": [*self.subscribe, f"_INBOX.{user}.>"]}


USERS: dict[str, Permissions] = {
    "api": Permissions((*_ASK, wake_log())),
    "relay": Permissions((SUBJECTS, _INFO, *_ASK, *_KEEP), (wake_log(),)),
    "project": Permissions((*_READ, wake_delivery("*"))),
    "deliver": Permissions((_WITNESS, wake_log()), (wake_delivery("*"),)),
    "intake": Permissions((_WITNESS, wake_log(), _INFO, *_TAKE)),
    "clock": Permissions((_WITNESS, wake_log())),
    "audit": Permissions(_READ),
    "operator": Permissions((*_READ, f"$JS.API.STREAM.DELETE.{STREAM}", wake_log())),
}
"""By the name of the role; `audit` is for `daybook log verify`, `operator` for every other command."""


def sender(login: str) -> tuple[str, Permissions]:
    """The name and the permissions of a user of NATS who sends commands as that user of Daybook, and as no other."""
    return f"in-{login}", Permissions((f"daybook-in.{login}.>",), (f"{answers_to(login)}>",))
