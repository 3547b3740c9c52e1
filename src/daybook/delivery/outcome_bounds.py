"""What is kept of a channel's answer: enough for a person, never so much that a receipt does not fit into an event.

A marketplace may answer with a page of megabytes, or name each of ten thousand fields. Such a receipt could not be
recorded, so the lane would be sent again and again.

A reason is a sentence in the channel's own words. One that is a whole document, JSON inside JSON or a proxy's page, may
hold anything that the other side has; it stands in the journal alone, and what everybody sees says so.
"""

import re

import msgspec
from msgspec.structs import replace

from daybook.channel.contract import Accepted, Confirmed, Outcome, Rejected
from daybook.events import Rejection
from daybook.limits import REASON_CODE_LENGTH_MAX, REASON_LENGTH_MAX, REASONS_MAX, REMOTE_ID_LENGTH_MAX


def bounded(outcome: Outcome) -> Outcome:
    """The outcome with long texts cut; one whose id can't be kept is a refusal that says so."""
    match outcome:
        case Rejected(reasons=reasons):
            return Rejected(_reasons(reasons), outcome.findings)
        case Confirmed(remote_id=remote_id):
            return _without_long_ids(outcome, remote_id)
        case Accepted(remote_id=remote_id, submission=submission):
            return _without_long_ids(outcome, remote_id, submission)
        case _:
            reason = getattr(outcome, "reason", None)
            if isinstance(reason, str) and (kept := _cut(_sentence(reason), REASON_LENGTH_MAX)) != reason:
                return replace(outcome, reason=kept)
            return outcome


def _reasons(given: tuple[Rejection, ...]) -> tuple[Rejection, ...]:
    kept = tuple(
        Rejection(
            _cut(_sentence(one.code), REASON_CODE_LENGTH_MAX),
            _cut(_sentence(one.message), REASON_LENGTH_MAX),
            None if one.field is None else _cut(_sentence(one.field), REASON_CODE_LENGTH_MAX),
        )
        for one in given[:REASONS_MAX]
    )
    if len(given) <= REASONS_MAX:
        return kept
    return (*kept, Rejection("more", f"and {len(given) - REASONS_MAX:,} more reasons, which are not kept"))


def _without_long_ids(outcome: Confirmed | Accepted, *ids: str | None) -> Outcome:
    longest = max((len(one) for one in ids if one is not None), default=0)
    if longest <= REMOTE_ID_LENGTH_MAX:
        return outcome
    message = f"the channel took it under an id of {longest:,} characters; at most {REMOTE_ID_LENGTH_MAX:,} can be kept"
    return Rejected((Rejection("id_too_long", message),))


def _sentence(text: str) -> str:
    """On one line, without what steers a terminal; a document is only named."""
    text = _UNPRINTABLE.sub(" ", text).strip()
    if _PAGE.match(text) or (text[:1] in "{[" and _is_json(text)):
        return f"a document of {len(text):,} characters instead of a reason: the journal of attempts has it"
    return text


def _is_json(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict | list)
    except (msgspec.DecodeError, RecursionError):
        return False


_UNPRINTABLE = re.compile(r" ?[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+ ?")
_PAGE = re.compile(r"<(!doctype|html|\?xml|head|body)\b", re.IGNORECASE)


def _cut(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else f"{text[: length_max - 1]}…"
