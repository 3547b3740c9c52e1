"""Intents about which channels there are. What a channel shows stays there when it goes, and so does its history."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import msgspec

from daybook import limits
from daybook.channel.reach import CREDENTIAL
from daybook.commands.decision_view import Change, DecisionView
from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import CatalogueEvent, ChannelAdded, ChannelRemoved
from daybook.events.envelope import REFERENCE_KEY
from daybook.values import check_limit, check_text, parse_code

_KEY = re.compile(r"[a-z][a-z0-9_]{0,60}\Z")
_USER_INFO = re.compile(r"://[^/?#\s]*@")
_SECRET_VALUE = re.compile(r"whsec_|-----BEGIN |(bearer|basic) ", re.IGNORECASE)


class AddChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="add_channel"):
    """There is a channel of this name from now on, of an installed kind.

    Added already and of the same kind, it gets exactly these settings instead. With the kind's defaults it is also
    configured, unless it was.
    """

    name: str
    kind: str
    settings: dict[str, str] = {}
    """What its connector is told besides its credentials, such as `url`."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """Refuses an unknown kind, a name that the kind or another channel has no room for, and operators' settings.

        Those are credentials, and what says where they go.
        """
        parse_code(self.name, "name")
        kind = scene.kind(self.kind)
        defaults = kind.defaults(self.name)
        settings = check_settings(self.settings)
        _check_recordable(settings, kind.recordable, self)
        wish = ChannelAdded(name=self.name, kind=self.kind, settings=settings)
        now = scene.reference.added.get(self.name)
        if now is not None and now.kind != self.kind:
            raise Refused(
                f"{self.name} is a channel of the kind {now.kind}: remove it first, or choose another name",
                channel=self.name,
            )
        if now is None and self.name in scene.installed and self.name not in scene.reference.removed:
            # It came with its distribution: without settings of its own there is nothing to add.
            now = ChannelAdded(name=self.name, kind=self.name)
        if now is None:
            check_limit(limits.CHANNELS, len(scene.channels) + 1, "name")
        events: list[CatalogueEvent] = [] if now == wish else [wish]
        if events and self.name not in scene.reference.channels:
            events.append(defaults)
        return [Change(f"channel/{self.name}", None, REFERENCE_KEY, events)]


class RemoveChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="remove_channel"):
    """The channel is no more. What it shows stays there: delist products first when it should show nothing."""

    name: str
    reason: str | None = None

    def decide(self, scene: DecisionView) -> list[Change]:
        """Refuses a channel that never was; one that went already stays gone."""
        parse_code(self.name, "name")
        events = []
        if self.name not in scene.reference.removed:
            if self.name not in scene.channels:
                there = ", ".join(sorted(scene.channels)) or "none"
                raise NotFound(f"name: there is no channel {self.name!r}; the channels are: {there}", field="name")
            reason = None if self.reason is None else check_text(self.reason, "reason", limits.REASON)
            events = [ChannelRemoved(name=self.name, reason=reason)]
        return [Change(f"channel/{self.name}", None, REFERENCE_KEY, events)]


def check_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings that may be kept for ever. Raises InvalidValue for a key or value that looks like a credential.

    The value is not in the error: an error is shown and logged.
    """
    check_limit(limits.SETTINGS, len(settings), "settings")
    for key, value in settings.items():
        field = f"settings.{key}"
        if not _KEY.match(key):
            raise InvalidValue(
                "settings", "a key must be small letters, digits and _, starting with a letter", key[:80]
            )
        check_limit(limits.SETTING, len(value), field)
        if "\x00" in value:
            raise InvalidValue(field, "holds a NUL character")
        if _names_credential(key) or _holds_credential(value):
            raise InvalidValue(
                field,
                "looks like a credential, and what is recorded is kept for ever: "
                "put it into the channel's file or variable, where it is delivered",
            )
    return dict(sorted(settings.items()))


def _check_recordable(settings: Mapping[str, str], recordable: tuple[str, ...], wish: AddChannel) -> None:
    for key in settings:
        if key not in recordable:
            variable = f"DAYBOOK_CHANNEL_{wish.name.upper()}_{key.upper()}"
            there = ", ".join(recordable) or "none"
            raise InvalidValue(
                f"settings.{key}",
                f"is no setting of {wish.kind} that a command may give; there are: {there}. Where credentials go, and "
                f"what may be reached, the operator says where the channel is delivered: {variable}, or the channel's "
                "file",
            )


def _names_credential(key: str) -> bool:
    return CREDENTIAL.search(key.lower()) is not None


def _holds_credential(value: str) -> bool:
    if _USER_INFO.search(value) or _SECRET_VALUE.match(value.strip()):
        return True
    try:
        query = urlsplit(value).query
    except ValueError:
        return False  # no URL: its connector will say so
    return any(_names_credential(name) for name, _ in parse_qsl(query))
