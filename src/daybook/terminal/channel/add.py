"""Channels that come and go while everything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from daybook.channel.connection import places
from daybook.commands import AddChannel, RemoveChannel
from daybook.errors import InvalidValue
from daybook.queries import connections
from daybook.terminal.carry_out import carried_out, context, said
from daybook.terminal.context import app_for_commands
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line, stacked

if TYPE_CHECKING:
    from daybook.app import App


def add(common: CommonOptions, name: str, kind: str | None, settings: Sequence[str]) -> None:
    """Adds the channel and prints what it still needs. With neither kind nor settings it is added as it was before."""
    wanted = parsed(settings)

    def wish(app: App) -> AddChannel:
        before = app.registry.as_added(name)
        if before is None or kind not in (None, before.kind):
            return AddChannel(name=name, kind=kind or name, settings=wanted)
        if kind is not None or settings:
            return AddChannel(name=name, kind=before.kind, settings=wanted)
        allowed = app.registry.kinds()[before.kind].recordable if before.kind in app.registry.installed else ()
        kept = {key: value for key, value in before.settings.items() if key in allowed}
        return AddChannel(name=name, kind=before.kind, settings=kept)

    _carry_out(common, wish, _after_adding)


def remove(common: CommonOptions, name: str) -> None:
    """Removes the channel and prints what stays."""
    wish = RemoveChannel(name=name, reason=common.reason)
    _carry_out(common, lambda _: wish, _after_removing)


def parsed(settings: Sequence[str]) -> dict[str, str]:
    """`key=value`, each key once. Raises InvalidValue without the value, which may be a credential by mistake."""
    found: dict[str, str] = {}
    for one in settings:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise InvalidValue("set", "must be KEY=VALUE, such as url=https://crm.example/hook")
        if key in found:
            raise InvalidValue("set", f"gives {key} twice")
        found[key] = value
    return found


def _carry_out(
    common: CommonOptions,
    decided: Callable[[App], AddChannel | RemoveChannel],
    after: Callable[[App, str], dict[str, Any]],
) -> None:
    sender = context(common, "cli")
    with app_for_commands(common) as app:
        wish = decided(app)
        receipt = carried_out(app, common, wish, sender)
        next_steps = after(app, wish.name)
    answer(common, receipt | next_steps, stacked(line(said(receipt)), *(line(one) for one in next_steps["next"])))


def _after_adding(app: App, name: str) -> dict[str, Any]:
    app.registry.refresh()
    missing = places(app.registry, app.settings, name)
    steps = [f"{name} still needs its {key}, where it is delivered: {place}" for key, place in missing.items()]
    warning = connections.read(app.pool).warning
    steps += [warning] if warning is not None else []
    steps.append(f"products are sold on it by `daybook product list SKU {name}`, or by their descriptions")
    return {"missing": missing, "warning": warning, "next": steps}


def _after_removing(app: App, name: str) -> dict[str, Any]:
    return {
        "next": [
            f"what {name} shows stays there, and its history stays here; `daybook channel add {name}` brings it back, "
            f"`daybook channel prune {name}` drops its listings"
        ]
    }
