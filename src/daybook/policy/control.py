"""What people said to a policy: paused, let go on, tried again. Folded from the policy's own stream."""

import msgspec

from daybook.events import PolicyPaused, PolicyResumed, PolicyRetried, Recorded
from daybook.log.reader import Reader


class PolicyControl(msgspec.Struct, frozen=True):
    """What holds now."""

    version: int = 0
    """Of the stream."""
    paused: Recorded | None = None
    approved: int = 0
    """The version of the policy that a person let go on last."""
    retries: tuple[Recorded, ...] = ()


UNSAID = PolicyControl()


def stream_of(name: str) -> str:
    """The stream of what is said to a policy."""
    return f"policy/{name}"


def fold_control(control: PolicyControl, one: Recorded) -> PolicyControl:
    """What holds after the event."""
    now = msgspec.structs.replace(control, version=one.version)
    match one.event:
        case PolicyPaused():
            return msgspec.structs.replace(now, paused=one)
        case PolicyResumed(version=version):
            return msgspec.structs.replace(now, paused=None, approved=version)
        case PolicyRetried():
            return msgspec.structs.replace(now, retries=(*now.retries, one))
    return now


def control_of(reader: Reader, name: str, known: PolicyControl = UNSAID) -> PolicyControl:
    """What holds now, from what is known already. Raises Unavailable."""
    for one in reader.of_stream(stream_of(name), after_version=known.version):
        known = fold_control(known, one)
    return known
