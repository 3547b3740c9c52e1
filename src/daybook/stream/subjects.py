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
