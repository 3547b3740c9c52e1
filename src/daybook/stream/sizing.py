"""How large the stream may grow: as large as the server has room for, and no larger than is ever wanted.

A server sets the whole of a stream's limit aside when the stream is made, and refuses what it has no room for. By
default it gives JetStream three quarters of what the disk had free when it started, and it tells nobody how much that
is. So the wish is halved until it is granted.
"""

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError

STREAM_BYTES_MAX = 64 * 1024**3
STREAM_BYTES_MIN = 64 * 1024**2
"""About a hundred thousand events. A server that has no room for them has none for anything."""

_ACCOUNT_RESOURCES_EXCEEDED = 10002
_NO_SUITABLE_PEERS = 10005
"""What a cluster says, also when too few of its servers are there; its words tell which."""
_INSUFFICIENT_RESOURCES = 10023
_STORAGE_RESOURCES_EXCEEDED = 10047
_STREAM_BYTES_EXCEEDED = 10122
_NO_ROOM = {_ACCOUNT_RESOURCES_EXCEEDED, _INSUFFICIENT_RESOURCES, _STORAGE_RESOURCES_EXCEEDED, _STREAM_BYTES_EXCEEDED}


def has_no_room(error: Exception) -> bool:
    """Whether the server refused a stream because of its size."""
    if not isinstance(error, APIError):
        return False
    in_cluster = error.err_code == _NO_SUITABLE_PEERS and "insufficient storage" in (error.description or "")
    return in_cluster or error.err_code in _NO_ROOM


async def sizes(client: Client) -> list[int]:
    """The limits to ask for, the largest first: what the account may have at most, then half of it, and so on."""
    size = min(STREAM_BYTES_MAX, await _account_bytes(client))
    found = []
    while size > STREAM_BYTES_MIN:
        found.append(size)
        size //= 2
    return [*found, STREAM_BYTES_MIN]


async def _account_bytes(client: Client) -> int:
    try:
        account = await client.jetstream().account_info()
    except (NatsError, TimeoutError):
        return STREAM_BYTES_MAX  # the answer to making the stream says more
    limits = account.limits
    left = (limits.max_storage or 0) - account.storage if (limits.max_storage or 0) > 0 else STREAM_BYTES_MAX
    one = limits.storage_max_stream_bytes or 0
    return min(left, one) if one > 0 else left
