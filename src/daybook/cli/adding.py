"""`daybook channel add` and `remove`: channels that come and go while everything runs."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybook.cli.grammar import Given, command
from daybook.errors import InvalidValue

if TYPE_CHECKING:
    from daybook.app import App

Name = Annotated[str, typer.Argument(metavar="NAME", help="Small letters and digits, at most 31.")]


def register(app: typer.Typer) -> None:
    """Adds the two commands to `daybook channel`."""
    command(
        app,
        "add",
        "daybook channel add crm --kind webhook --set url=https://crm.example/hook",
        "daybook channel add bol",
        writes=True,
    )(add)
    command(app, "remove", "daybook channel remove crm --reason 'the CRM asks for itself now'", writes=True)(remove)


def add(
    given: Given,
    name: Name,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="The installed channel that it is like; NAME if left out."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="What its connector is told. Never a credential. Repeatable."),
    ] = None,
) -> None:
    """Add a channel, or bring back one that was removed, while everything runs.

    It begins within two seconds. Credentials are not recorded: they are in its file or its variables where
    `daybook run deliver` runs. Added again, it gets exactly the settings that are given; with neither kind nor settings
    it is added as it was before.
    """
    from daybook.commands import AddChannel

    told = parsed(settings or ())

    def wish(app: "App") -> AddChannel:
        before = app.registry.as_added(name)
        if before is None or kind not in (None, before.kind):
            return AddChannel(name=name, kind=kind or name, settings=told)
        as_before = kind is None and not settings
        return AddChannel(name=name, kind=before.kind, settings=before.settings if as_before else told)

    _carry_out(given, wish, _after_adding)


def remove(given: Given, name: Name) -> None:
    """Remove a channel: nothing is sent to it any more, and no product can be listed on it.

    What it shows stays there, and so does its history. `daybook channel add` brings it back where it stood.
    """
    from daybook.commands import RemoveChannel

    wish = RemoveChannel(name=name, reason=given.reason)
    _carry_out(given, lambda _: wish, _after_removing)


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


def _carry_out(given: Given, decided: "Callable[[App], Any]", after: "Callable[[App, str], dict[str, Any]]") -> None:
    from daybook.cli.context import writing
    from daybook.cli.render import answer, line, stacked
    from daybook.cli.writing import carried_out, context, said

    sender = context(given, "cli")
    with writing(given) as app:
        wish = decided(app)
        receipt = carried_out(app, given, wish, sender)
        told = after(app, wish.name)
    answer(given, receipt | told, stacked(line(said(receipt)), *(line(one) for one in told["next"])))


def _after_adding(app: "App", name: str) -> dict[str, Any]:
    from daybook.channel.connecting import places

    app.registry.refresh()
    missing = places(app.registry, app.settings, name)
    steps = [f"{name} still needs its {key}, where it is delivered: {place}" for key, place in missing.items()]
    steps.append(f"products are sold on it by `daybook product list SKU {name}`, or by their descriptions")
    return {"missing": missing, "next": steps}


def _after_removing(app: "App", name: str) -> dict[str, Any]:
    return {
        "next": [
            f"what {name} shows stays there, and its history stays here; `daybook channel add {name}` brings it back, "
            f"`daybook channel prune {name}` drops its listings"
        ]
    }
