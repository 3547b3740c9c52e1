"""The catalogue's model: attributes, families, categories. What a PUT leaves out stays as it is."""

from typing import Any

import msgspec
from litestar import Response, get, put
from litestar.params import FromPath, JSONBody, RawBody

from daybook.access.authority import reach
from daybook.commands import DefineAttribute, DefineCategory, DefineFamily
from daybook.events import (
    AttributeDefined,
    CategoryDefined,
    ChannelAdded,
    ChannelConfigured,
    ChannelRemoved,
    FamilyDefined,
)
from daybook.web.declared import DEFINITION, QUESTION
from daybook.web.dependencies import InjectedApp, InjectedCaller, InjectedPrincipal
from daybook.web.moments import At, Position, moment
from daybook.web.needs import needs
from daybook.web.responses import Receipt, carry_out, part_of, same

PATH = "/api/v1"


class CatalogueDefinitions(msgspec.Struct, frozen=True, kw_only=True):
    """Every definition, by code."""

    attributes: dict[str, AttributeDefined]
    families: dict[str, FamilyDefined]
    categories: dict[str, CategoryDefined]
    channels: dict[str, ChannelConfigured]
    added: dict[str, ChannelAdded]
    """Channels that came at run time."""
    removed: dict[str, ChannelRemoved]
    """Channels that went and did not come back."""


@get("/definitions", **QUESTION, **needs("definition.read"), summary="Every definition")
def show_definitions(
    app: InjectedApp, principal: InjectedPrincipal, at: At = None, position: Position = None
) -> CatalogueDefinitions:
    """Attributes, families, categories and channel settings by code, now or at a moment."""
    found = app.reader.reference(moment(app.reader, at, position).position)
    told = {field: getattr(found, field) for field in CatalogueDefinitions.__struct_fields__}
    within = reach(principal, "channel.read")
    if not within.everything:
        for field in ("channels", "added", "removed"):
            told[field] = {name: one for name, one in told[field].items() if within.channel(name)}
    return CatalogueDefinitions(**told)


@put("/attributes/{code:str}", **DEFINITION, **needs("definition.change", command=True), summary="Define an attribute")
def define_attribute(
    app: InjectedApp, caller: InjectedCaller, code: FromPath[str], data: JSONBody[AttributeDefined], body: RawBody
) -> Response[Receipt]:
    """What the attribute is, from now on. A member that is left out stays as it is."""
    stream = f"attribute/{same(code, data.code, 'code')}"
    return carry_out(app, caller, part_of(DefineAttribute(attribute=data), body), stream, f"{PATH}/attributes/{code}")


@put("/families/{code:str}", **DEFINITION, **needs("definition.change", command=True), summary="Define a family")
def define_family(
    app: InjectedApp, caller: InjectedCaller, code: FromPath[str], data: JSONBody[FamilyDefined], body: RawBody
) -> Response[Receipt]:
    """Which attributes the family has, from now on. A member that is left out stays as it is."""
    stream = f"family/{same(code, data.code, 'code')}"
    return carry_out(app, caller, part_of(DefineFamily(family=data), body), stream, f"{PATH}/families/{code}")


@put("/categories/{code:str}", **DEFINITION, **needs("definition.change", command=True), summary="Define a category")
def define_category(
    app: InjectedApp, caller: InjectedCaller, code: FromPath[str], data: JSONBody[CategoryDefined], body: RawBody
) -> Response[Receipt]:
    """A node of a category tree, from now on. A member that is left out stays as it is."""
    stream = f"category/{same(code, data.code, 'code')}"
    return carry_out(app, caller, part_of(DefineCategory(category=data), body), stream, f"{PATH}/categories/{code}")


ROUTES: tuple[Any, ...] = (show_definitions, define_attribute, define_family, define_category)
