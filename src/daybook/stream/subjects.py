"""Where an event is published: `daybook.<noun>.<verb>.<partition>`."""

import zlib

STREAM = "DAYBOOK"
SUBJECTS = "daybook.*.*.*"
PARTITIONS = 64
"""Subjects cost the server memory, so a product group gets one of 64 partitions and never a subject of its own."""

WAKE = "daybook-wake"
"""Plain NATS messages that say "there is news", outside the stream. Losing one costs a fraction of a second."""


def partition(key: str) -> int:
    """The key's partition, the same in every process and on every machine."""
    return zlib.crc32(key.encode()) % PARTITIONS


def subject(event_type: str, key: str) -> str:
    """`product.price_changed.v1` of a group gives `daybook.product.price_changed.17`."""
    noun, verb, _version = event_type.split(".")
    return f"daybook.{noun}.{verb}.{partition(key)}"


def wake_log() -> str:
    """Rung after each append."""
    return f"{WAKE}.log"


def wake_delivery(channel: str) -> str:
    """Rung when a channel has something due."""
    return f"{WAKE}.delivery.{channel}"


INBOX_STREAM = "DAYBOOK_IN"
INBOX_SUBJECTS = "daybook-in.*.>"
"""Where other systems publish commands: the second word is the login of the user who sends. Not below `daybook.`, as
two streams can't share subjects."""
ANSWERS = "daybook-answer"


def sender_of(subject: str) -> str:
    """The login in the subject of a message of the inbox."""
    return subject.split(".")[1]


def answers_to(login: str) -> str:
    """Below this a sender may be answered, and nobody else."""
    return f"{ANSWERS}.{login}."
