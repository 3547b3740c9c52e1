"""People: what is known of them, sealed in the vault. Nothing here may be kept by a cache on the way."""

from typing import Any

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from daybook.commands.disclosure import ExportedPerson, ShownPerson
from daybook.commands.erasure import ErasureReport
from daybook.errors import VersionConflict
from daybook.people.person import Person, PersonChange
from daybook.web.declared import ACTION, COMMAND, QUESTION, problems
from daybook.web.dependencies import InjectedApp, InjectedAsker, InjectedCaller
from daybook.web.needs import needs
from daybook.web.responses import Receipt

PATH = "/api/v1/people"
NOT_KEPT = {"Cache-Control": "no-store"}
_ERASED = problems(410)
_DISCLOSURE: dict[str, Any] = QUESTION | {"responses": QUESTION["responses"] | _ERASED}
_ERASURE: dict[str, Any] = ACTION | {"responses": ACTION["responses"] | _ERASED}
_COMMAND: dict[str, Any] = COMMAND | {"responses": COMMAND["responses"] | _ERASED}


class PersonReceipt(Receipt, frozen=True, kw_only=True):
    """What the command did, and whom it is about."""

    person: str
    """The person's id: all that Daybook's log, listings and messages ever hold of him or her."""


@post("/people", **(_COMMAND | {"status_code": 201}), **needs("person.add"), summary="Add a person")
def add_person(app: InjectedApp, caller: InjectedCaller, data: JSONBody[Person]) -> Response[PersonReceipt]:
    """Somebody new, with what is known: all of it is optional. The answer has the id. X-Reason is kept for ever."""
    if caller.expected_version:
        raise VersionConflict("somebody new has no version yet: leave If-Match out", expected=caller.expected_version)
    added = app.people.add(data, caller.context, repeatable=caller.repeatable)
    headers = NOT_KEPT | {"Location": f"{PATH}/{added.person}", "ETag": f'"{added.result.version or 1}"'}
    if added.result.repeated:
        headers["Idempotent-Replayed"] = "true"
    receipt = PersonReceipt(
        person=added.person,
        position=added.result.last,
        version=added.result.version or 1,
        command_id=added.result.command_id,
        changed=added.result.changed,
    )
    return Response(receipt, status_code=201, headers=headers)


@patch("/people/{person:str}", **_COMMAND, **needs("person.change"), summary="Change a person")
def change_person(
    app: InjectedApp, caller: InjectedCaller, person: FromPath[str], data: JSONBody[PersonChange]
) -> Response[PersonReceipt]:
    """Other values of some fields: absent ones stay, null ones are known no more. What they were is not kept."""
    done = app.people.change(
        person, data, caller.context, expected_version=caller.expected_version, repeatable=caller.repeatable
    )
    version = app.people.version_after(done)
    headers = NOT_KEPT | {"ETag": f'"{version}"'}
    if done.repeated:
        headers["Idempotent-Replayed"] = "true"
    receipt = PersonReceipt(
        person=person, position=done.last, version=version, command_id=done.command_id, changed=done.changed
    )
    return Response(receipt, headers=headers)


@get("/people/{person:str}", **_DISCLOSURE, **needs("person.read"), summary="Show a person")
def show_person(app: InjectedApp, asker: InjectedAsker, person: FromPath[str]) -> Response[ShownPerson]:
    """What is known now. That it was shown, to whom and why (X-Actor, X-Reason), is recorded first."""
    found = app.disclosures.show(person, asker)
    return Response(found, headers=NOT_KEPT | {"ETag": f'"{found.version}"'})


@get("/people/{person:str}/export", **_DISCLOSURE, **needs("person.read"), summary="Export a person")
def export_person(app: InjectedApp, asker: InjectedAsker, person: FromPath[str]) -> Response[ExportedPerson]:
    """Everything that is known, and every event that names the id. That it was given, to whom and why, is recorded."""
    return Response(app.disclosures.export(person, asker), headers=NOT_KEPT)


@delete("/people/{person:str}", **_ERASURE, **needs("person.erase"), summary="Erase a person")
def erase_person(app: InjectedApp, asker: InjectedAsker, person: FromPath[str]) -> Response[ErasureReport]:
    """For good: the key is destroyed, so that no copy and no backup of what is known can be read any more. Once more
    changes nothing, and finishes an erasure that was cut off."""
    return Response(app.erasure.erase(person, asker), status_code=200, headers=NOT_KEPT)


ROUTES: tuple[Any, ...] = (add_person, change_person, show_person, export_person, erase_person)
