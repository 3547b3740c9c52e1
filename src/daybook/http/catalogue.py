"""The catalogue's model: attributes, families, categories, channels. Each PUT brings the whole definition."""

from litestar import Response, get, put
from litestar.params import FromPath, JSONBody

from daybook.catalogue.reference import Reference
from daybook.commands import ConfigureChannel, DefineAttribute, DefineCategory, DefineFamily
from daybook.events import AttributeDefined, CategoryDefined, ChannelConfigured, FamilyDefined
from daybook.http.answers import Receipt, carry_out, same
from daybook.http.asking import At, Position, moment
from daybook.http.given import TheApp, TheCaller

PATH = "/api/v1"


@get("/definitions", sync_to_thread=True, summary="Every definition")
def definitions(app: TheApp, at: At = None, position: Position = None) -> Reference:
    """Attributes, families, categories and channel settings by code, now or at a moment."""
    return app.reader.reference(moment(app.reader, at, position).position)


@put("/attributes/{code:str}", sync_to_thread=True, summary="Define an attribute")
def define_attribute(
    app: TheApp, caller: TheCaller, code: FromPath[str], data: JSONBody[AttributeDefined]
) -> Response[Receipt]:
    """What the attribute is, from now on."""
    stream = f"attribute/{same(code, data.code, 'code')}"
    return carry_out(app, caller, DefineAttribute(attribute=data), stream, f"{PATH}/attributes/{code}")


@put("/families/{code:str}", sync_to_thread=True, summary="Define a family")
def define_family(
    app: TheApp, caller: TheCaller, code: FromPath[str], data: JSONBody[FamilyDefined]
) -> Response[Receipt]:
    """Which attributes the family has, from now on."""
    stream = f"family/{same(code, data.code, 'code')}"
    return carry_out(app, caller, DefineFamily(family=data), stream, f"{PATH}/families/{code}")


@put("/categories/{code:str}", sync_to_thread=True, summary="Define a category")
def define_category(
    app: TheApp, caller: TheCaller, code: FromPath[str], data: JSONBody[CategoryDefined]
) -> Response[Receipt]:
    """A node of a category tree, from now on."""
    stream = f"category/{same(code, data.code, 'code')}"
    return carry_out(app, caller, DefineCategory(category=data), stream, f"{PATH}/categories/{code}")


@put("/channels/{name:str}", sync_to_thread=True, summary="Configure a channel")
def configure_channel(
    app: TheApp, caller: TheCaller, name: FromPath[str], data: JSONBody[ChannelConfigured]
) -> Response[Receipt]:
    """How the channel reads the catalogue, from now on. Never a credential: settings are kept for ever."""
    stream = f"channel/{same(name, data.name, 'name')}"
    return carry_out(app, caller, ConfigureChannel(channel=data), stream, f"{PATH}/channels/{name}")


HANDLERS = (definitions, define_attribute, define_family, define_category, configure_channel)
