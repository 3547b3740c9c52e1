"""Where a picture or document is: an address of the web, or a path below the channel's `media_base_url`. Pure."""

import ipaddress
import re
import socket
from urllib.parse import unquote, urlsplit

from daybook import limits
from daybook.channel.reach import forbidden
from daybook.errors import InvalidValue
from daybook.values import check_text

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check_address(url: str, field: str) -> str:
    """Raises InvalidValue for what is no address of a file that shops may fetch, or buyers be shown.

    Hazard: shops fetch it, browsers follow it, and none of them asks who gave it. A script, a file of the shop's own
    machine or its cloud's metadata service must not be called a picture.
    """
    check_text(url, field, limits.ADDRESS)
    if _CONTROL.search(url):
        raise InvalidValue(field, "holds a control character")
    web = url.lower().startswith(("https://", "http://"))
    if not web and (_SCHEME.match(url) or url.startswith(("//", "\\"))):
        raise InvalidValue(field, "must be an https or http address, or a path such as 1/2/picture.jpg")
    if any(part in (".", "..") for part in re.split(r"[/\\]", unquote(re.split("[?#]", url, maxsplit=1)[0]))):
        raise InvalidValue(field, "has `.` or `..` among its parts: write the path that is meant")
    if web:
        _check_host(url, field)
    return url


def _check_host(url: str, field: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidValue(field, "is no address that can be read") from None
    if not host:
        raise InvalidValue(field, "names no host")
    if parts.username is not None or parts.password is not None:
        raise InvalidValue(field, "holds a user or password, and the log keeps it for ever")
    if host == "localhost" or host.endswith(".localhost"):
        raise InvalidValue(field, "is on the machine of whoever reads it")
    address = _ip(host)
    if address is not None and (ipaddress.ip_address(address).is_loopback or forbidden(address, private_allowed=True)):
        raise InvalidValue(field, "is an address that no shop may fetch: this machine, or a network's own services")


def _ip(host: str) -> str | None:
    """The IP address that a host is, in any of the spellings that a system takes for one: 127.1, 2130706433, 0x7f.1."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        # What the C library makes of it, without asking anybody.
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return None
