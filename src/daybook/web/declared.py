"""What routes answer besides their success, for the description of the API. A test compares it with real answers."""

from typing import Any

from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec

from daybook.web.problems import MEDIA_TYPE, Problem
from daybook.web.responses import Receipt

_WHEN = {
    400: "Malformed: a body, a parameter or a header that this route does not take",
    401: "Nobody knows who asks: no key, or one that is not taken",
    403: "The key may not do this, or not here: `permission` names what is lacking",
    404: "The book does not know what was named, or did not yet at that moment",
    410: "It was there, and was erased for good",
    409: "The present state forbids it",
    412: "`If-Match` or `If-None-Match` does not hold any more",
    413: "The body is too large",
    415: "The body is not named as JSON",
    422: "A value breaks a rule, or the `Idempotency-Key` was used for another command",
    500: "A defect: `error_id` finds it in the server's log",
    503: "A server that Daybook needs is away, or takes no changes",
}
_ASKED, _TOLD = (400, 401, 403, 404, 422, 500, 503), (400, 401, 403, 404, 409, 412, 413, 415, 422, 500, 503)
_ETAG = ResponseHeader(
    name="ETag", description='What `If-Match` compares, such as `"7"`.', documentation_only=True, value=""
)
_REPLAYED = ResponseHeader(
    name="Idempotent-Replayed", description="`true`: carried out before.", documentation_only=True, value=""
)


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems with these statuses."""
    return {
        status: ResponseSpec(Problem, description=_WHEN[status], media_type=MEDIA_TYPE, generate_examples=False)
        for status in statuses
    }


def created(answer: type[Any] = Receipt) -> dict[int, ResponseSpec]:
    """201 beside 200: what was named is new."""
    description = "Created, and found where `Location` says"
    return {201: ResponseSpec(answer, description=description, generate_examples=False)}


QUESTION: dict[str, Any] = {"sync_to_thread": True, "responses": problems(*_ASKED)}
"""Of a route that only answers."""
UNCHANGED: dict[str, Any] = QUESTION | {
    "responses": QUESTION["responses"] | {304: ResponseSpec(None, description="As `If-None-Match` says that it was")},
    "response_headers": [_ETAG],
}
"""Of one that also honours If-None-Match."""
ACTION: dict[str, Any] = {"sync_to_thread": True, "status_code": 200, "responses": problems(*_TOLD[:5], *_TOLD[6:])}
"""Of one that does something which is no command of the book."""
COMMAND: dict[str, Any] = ACTION | {"responses": problems(*_TOLD), "response_headers": [_ETAG, _REPLAYED]}
"""Of one that carries a command out."""
DEFINITION: dict[str, Any] = COMMAND | {"responses": COMMAND["responses"] | created()}
"""Of one that may create what it names."""
