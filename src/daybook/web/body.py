"""Request bodies: JSON, decoded strictly into the handler's own type."""

import re
from collections.abc import Generator
from typing import Any, ClassVar

import msgspec
from litestar.dto import AbstractDTO, DTOConfig
from litestar.exceptions import HTTPException

from daybook.events.members import unknown_member
from daybook.web.problems import malformed

UNSUPPORTED_MEDIA_TYPE = 415
_JSON = re.compile(r"application/([\w.!#$&^+-]+\+)?json\s*(;|\Z)", re.IGNORECASE)
_PATH = re.compile(r" - at `(?:key in )?\$\.?(.*)`\Z")


class StrictJson(AbstractDTO[Any]):
    """Decodes the body with msgspec into the type of `data`.

    Hazard: left alone, the framework converts bodies leniently, so that "5" passes for a number and 1 for true.

    The content type must be JSON. That is also what keeps a foreign web page from sending commands through a person's
    browser: a request with this content type needs a permission (CORS preflight) that nobody gives.
    """

    config = DTOConfig()
    model_type = msgspec.Struct
    _types: ClassVar[dict[str, Any]] = {}

    @classmethod
    def create_for_field_definition(cls, field_definition: Any, handler_id: str, backend_cls: Any = None) -> None:
        """Remembers the handler's type."""
        cls._types[handler_id] = field_definition.annotation

    @classmethod
    def create_openapi_schema(cls, field_definition: Any, handler_id: str, schema_creator: Any) -> Any:
        """The type as it is."""
        return schema_creator.for_field_definition(field_definition)

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[Any, None, None]:
        """Of no use here: the type is not transformed."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: Any) -> bool:
        """Of no use here: the type is not transformed."""
        return False

    def decode_bytes(self, value: bytes) -> Any:
        """The body. Raises HTTPException 415 for another content type and 400 naming the field that is wrong."""
        content_type = self.asgi_connection.headers.get("content-type", "")
        if not _JSON.match(content_type):
            raise HTTPException(
                status_code=UNSUPPORTED_MEDIA_TYPE,
                detail=f"the body is {content_type or 'of no named type'}: send it as application/json",
            )
        wanted = self._types[self.asgi_connection.route_handler.handler_id]
        try:
            decoded = msgspec.json.decode(value, type=wanted)
        except msgspec.ValidationError as error:
            raise malformed(*(unknown_member(value, wanted) or _place(str(error)))) from None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise malformed(*_place(str(error))) from None
        if wrong := unknown_member(value, wanted):
            raise malformed(*wrong)
        return decoded


def _place(message: str) -> tuple[str, str]:
    """The field that the decoder's message names, and the reason."""
    where = _PATH.search(message)
    return (where[1] if where else "") or "body", message[: where.start()] if where else message
