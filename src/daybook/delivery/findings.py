"""What a work found out, on its way into the log: checked, since a receipt that can't be recorded is sent for ever.

A finding that can't be kept makes the outcome a refusal: the work was done, so nothing repeats it by itself, and a
person sees why nothing came of it.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from daybook.channel.contract import Accepted, Confirmed, Manifest, Outcome, Rejected
from daybook.channel.personal import Lookups
from daybook.events import Event, Rejection, codec
from daybook.events.envelope import of_group
from daybook.limits import EVENT_BYTES_MAX, FINDINGS_MAX
from daybook.log.pending import NewEvent

PERSONAL_LENGTH_MIN = 4
"""A value that is shorter, such as a country, is nobody's alone."""


def checked(manifest: Manifest, outcome: Outcome, lookups: Lookups) -> Outcome:
    """The outcome, or a refusal that says which finding can't be kept."""
    if not isinstance(outcome, Confirmed | Accepted | Rejected) or not outcome.findings:
        return outcome
    problem = _problem(manifest, outcome.findings, lookups)
    return outcome if problem is None else Rejected((Rejection("finding_not_kept", problem),))


def _problem(manifest: Manifest, findings: Sequence[Event], lookups: Lookups) -> str | None:
    if len(findings) > FINDINGS_MAX:
        return f"{len(findings):,} findings of one request; at most {FINDINGS_MAX} are kept"
    for one in findings:
        name = codec.NAMES.get(type(one))
        if name is None or not isinstance(one, manifest.findings):
            return f"{type(one).__name__} is none of the findings that {manifest.name} declares"
        body = codec.encode(one)
        if len(body) > EVENT_BYTES_MAX:
            return f"{name} would be an event of {len(body):,} bytes; at most {EVENT_BYTES_MAX:,} are taken"
        if _tells(_texts(msgspec.to_builtins(one)), lookups.values()):
            return f"{name} would tell what the vault knows of a person, and an event is kept for ever"
    return None


def _texts(plain: object) -> Iterable[str]:
    if isinstance(plain, str):
        yield plain.casefold()
    elif isinstance(plain, dict):
        for name, value in plain.items():
            yield from _texts(name)
            yield from _texts(value)
    elif isinstance(plain, list | tuple):
        for item in plain:
            yield from _texts(item)


def _tells(texts: Iterable[str], values: Iterable[str]) -> bool:
    known = [re.escape(value.casefold()) for value in values if len(value) >= PERSONAL_LENGTH_MIN]
    wanted = re.compile(rf"(?<!\w)(?:{'|'.join(known)})(?!\w)") if known else None
    return wanted is not None and any(wanted.search(text) for text in texts)


def events(channel: str, sku: str, key: str, findings: Iterable[Event]) -> list[NewEvent]:
    """The findings in the streams of this work: `parcel/sendcloud/webshop:1001`."""
    about = sku if of_group(key) else None
    return [
        NewEvent(f"{codec.NAMES[type(one)].partition('.')[0]}/{channel}/{sku}", 0, one, about, key) for one in findings
    ]
