"""Reading what is known of people from files, and what a person at the terminal sees of it."""

import sys
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from daybook import limits
from daybook.commands.disclosure import ExportedPerson, ShownPerson
from daybook.commands.erasure import ErasureReport, ReplayReport
from daybook.errors import InvalidValue
from daybook.people.person import Person, PersonChange
from daybook.terminal.carry_out import context
from daybook.terminal.context import app_for_commands
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, line, stacked
from daybook.values import check_limit

__all__ = ["Person", "PersonChange"]

Values = TypeVar("Values", Person, PersonChange)


def read(file: Path | None, kind: type[Values]) -> Values:
    """Values from a file or from standard input. Raises InvalidValue that names the field, never the value."""
    field = "standard input" if file is None else "file"
    if file is None:
        body = sys.stdin.buffer.read(limits.BODY.most + 1)
    else:
        with file.open("rb") as given:
            body = given.read(limits.BODY.most + 1)
    check_limit(limits.BODY, len(body), field)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, msgspec.ValidationError) else "is no JSON object"
        raise InvalidValue(field, f'{reason}; give such as {{"name": "Ada Byron"}}') from None


def add(common: CommonOptions, values: Person) -> dict[str, Any]:
    """Adds a person; the receipt."""
    sender = context(common, "cli")
    with app_for_commands(common) as on:
        done = on.people.add(values, sender, repeatable=common.command_id is not None)
    return {
        "person": done.person,
        "position": done.result.last,
        "version": 1,
        "changed": done.result.changed,
        "repeated": done.result.repeated,
        "command_id": done.result.command_id,
    }


def change(common: CommonOptions, person: str, values: PersonChange) -> dict[str, Any]:
    """Changes a person; the receipt."""
    sender = context(common, "cli")
    with app_for_commands(common) as on:
        repeatable = common.command_id is not None
        done = on.people.change(person, values, sender, expected_version=common.expect_version, repeatable=repeatable)
        version = on.people.version_after(done)
    return {
        "person": person,
        "position": done.last,
        "version": version,
        "changed": done.changed,
        "repeated": done.repeated,
        "command_id": done.command_id,
    }


def added(found: dict[str, Any]) -> Show:
    """For a person at the terminal."""
    before = "added before" if found["repeated"] else "added"
    return line(f"{before} person {found['person']}, at position {found['position']}")


def changed(found: dict[str, Any]) -> Show:
    """The same of a change."""
    if not found["changed"]:
        return line(f"no change: it is so already, at version {found['version']}")
    before = "changed before" if found["repeated"] else "changed"
    return line(f"{before} person {found['person']}, at position {found['position']}, version {found['version']}")


def shown(found: ShownPerson) -> Show:
    """Field by field."""
    known = found.known
    rows = [("person", found.person), ("name", known.name), ("mail", known.mail), ("phone", known.phone)]
    if known.address is not None:
        one = known.address
        place = " ".join(part for part in (one.postcode, one.city) if part)
        parts = (*one.lines, place, one.region, one.country)
        rows.append(("address", ", ".join(part for part in parts if part)))
    return stacked(*(line(f"{name:<8} {value}") for name, value in rows if value))


def exported(found: ExportedPerson) -> Show:
    """An export is a document, also for a person."""
    body = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    return lambda console: console.print(body, soft_wrap=True)


def erased(found: ErasureReport) -> Show:
    """What was done."""
    if found.already:
        return line(f"person {found.person} was erased before: nothing was left to do")
    where = "it was in the log already" if found.position is None else f"at position {found.position}"
    cleared = [line(f"  {place}: {count} cleared") for place, count in found.cleared.items() if count]
    return stacked(line(f"erased person {found.person}, {where}"), *cleared)


def replayed(found: ReplayReport) -> Show:
    """What was done."""
    if not (found.keys or found.erased or found.abandoned):
        return line(f"nothing to do: {found.listed} people were erased, and are")
    return line(
        f"{found.erased} of {found.listed} erased people were erased again: {found.keys} had a key, {found.recorded} "
        f"erasures were not in the log. {found.abandoned} writes that were cut off were ended"
    )
