"""What each user of NATS may do: the subjects that its role needs, and no other.

Nobody but the relay may publish events, and nobody but the relay and the operator may remove the stream. Answers go to
a subject of the user's own, so that no role hears what another one asked.
"""

import msgspec

from daybook.stream.subjects import STREAM, SUBJECTS, wake_delivery, wake_log

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
    "intake": Permissions((_WITNESS, wake_log())),
    "clock": Permissions((_WITNESS, wake_log())),
    "audit": Permissions(_READ),
    "operator": Permissions((*_READ, f"$JS.API.STREAM.DELETE.{STREAM}", wake_log())),
}
"""By the name of the role; `audit` is for `daybook log verify`, `operator` for every other command."""
