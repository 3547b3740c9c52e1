"""Product type definitions (2020-09-01): what Amazon requires of a listing, checked before it is sent.

A check that Amazon would make anyway, made without a request: a listing that can't be taken costs no turn. Whatever
stands in the way of the check (no definition, no answer, a schema of a kind that is not understood) skips it.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from daybook.channel.calls import Answer, previewing
from daybook.channel.contract import ChannelUnavailable
from daybook.events import Rejection
from daybook_projections.amazon.api import Api
from daybook_projections.amazon.signed_files import SignedFiles

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

KEPT_SECONDS = 24 * 3600.0
"""Amazon changes definitions some times a year."""
UNKNOWN_SECONDS = 6 * 3600.0
"""A type that Amazon has no definition of is asked for again after so long."""
TROUBLE_SECONDS = 60.0
"""After no answer: so that not every listing of an outage waits for it."""
REASONS_MAX = 20
_LEVELS = {"parent": "PARENT", "child": "CHILD"}


class _Definition:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.until = float("-inf")
        self.checksum: str | None = None


class Definitions:
    """The definitions that were asked for, kept for a day; schemas by their checksum for as long as they are used."""

    def __init__(
        self, api: Api, files: SignedFiles, seller: str, marketplace: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._files = files
        self._about = {"marketplaceIds": marketplace, "sellerId": seller}
        self._clock = clock
        self._definitions: defaultdict[tuple[str, str, str], _Definition] = defaultdict(_Definition)
        self._schemas: dict[str, Validator | None] = {}

    async def problems(self, body: Mapping[str, Any]) -> tuple[Rejection, ...]:
        """Why Amazon would not take this PUT body, attribute by attribute; nothing when it would, or who knows.

        Asks Amazon at most once a day for a product type. A preview asks nothing: it checks with what is known.
        """
        attributes = body["attributes"]
        level = next((entry.get("value") for entry in attributes.get("parentage_level", ())), None)
        key = (body["productType"], body.get("requirements", "LISTING"), _LEVELS.get(str(level), "NONE"))
        definition = self._definitions[key]
        async with definition.lock:
            if self._clock() >= definition.until and not previewing.get():
                definition.until = self._clock() + await self._refresh(key, definition)
        validator = self._schemas.get(definition.checksum or "")
        if validator is None:
            return ()
        # In a thread: a real schema takes milliseconds, and a batch has thousands of listings.
        return tuple(await asyncio.to_thread(_reasons, validator, attributes))

    async def _refresh(self, key: tuple[str, str, str], definition: _Definition) -> float:
        """Asks for the definition; for how long the answer holds. What was known holds on while there is none."""
        product_type, requirements, level = key
        answer = await self._api.ask(
            "getDefinitionsProductType",
            "GET",
            f"/definitions/2020-09-01/productTypes/{quote(product_type, safe='')}",
            query={
                **self._about,
                "requirements": requirements,
                "requirementsEnforced": "ENFORCED",
                "parentageLevel": level,
                "locale": "en_US",
            },
            secret=True,
        )
        if not isinstance(answer, Answer) or answer.status != 200:
            return UNKNOWN_SECONDS if isinstance(answer, Answer) else TROUBLE_SECONDS
        try:
            link = answer.body["schema"]
            checksum, address = str(link["checksum"]), str(link["link"]["resource"])
        except (KeyError, TypeError):
            return UNKNOWN_SECONDS
        if checksum not in self._schemas:
            content = await self._files.get(address)
            if isinstance(content, ChannelUnavailable):
                return TROUBLE_SECONDS
            self._schemas[checksum] = await asyncio.to_thread(_validator, content)
        definition.checksum = checksum
        return KEPT_SECONDS


def _validator(content: bytes) -> "Validator | None":
    """A check by this schema, or None for one that is not a schema. In a thread: some have a megabyte and more."""
    # Imported here: it takes a tenth of a second, which every start of the program would pay.
    from jsonschema import Draft201909Validator, SchemaError, ValidationError
    from jsonschema.validators import extend
    from referencing import Registry

    def bytes_max(_: Any, most: int, value: Any, __: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and len(value.encode()) > most:
            yield ValidationError(f"{value!r} has more than {most} bytes")

    def bytes_min(_: Any, least: int, value: Any, __: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and len(value.encode()) < least:
            yield ValidationError(f"{value!r} has fewer than {least} bytes")

    # Amazon's other words of its own (selectors, maxUniqueItems, ...) are left to Amazon.
    checks: Any = extend(  # type: ignore[no-untyped-call]
        Draft201909Validator, {"maxUtf8ByteLength": bytes_max, "minUtf8ByteLength": bytes_min}
    )
    try:
        schema = msgspec.json.decode(content)
        Draft201909Validator.check_schema(schema)
    except (msgspec.DecodeError, SchemaError):
        return None
    registry: Registry[Any] = Registry()  # empty: nothing that a schema refers to is fetched from anywhere
    made: Validator = checks(schema, registry=registry)
    return made


def _reasons(validator: "Validator", attributes: Mapping[str, Any]) -> Iterable[Rejection]:
    from referencing.exceptions import Unresolvable

    found: dict[tuple[str | None, str], Rejection] = {}
    try:
        for error in validator.iter_errors(attributes):
            for name, message in _named(error, attributes):
                found.setdefault((name, message), Rejection(f"schema.{error.validator}", message[:500], name))
            if len(found) >= REASONS_MAX:
                break
    except Unresolvable:
        return ()
    return found.values()


def _named(error: Any, attributes: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """The attributes that an error is about, and what is wrong with each."""
    path = [str(part) for part in error.absolute_path]
    if not path and error.validator == "required":
        # One error for each name that is missing, but none says which in a field of its own.
        missing = [name for name in error.validator_value if name not in attributes]
        yield from ((name, f"'{name}' is required but not supplied.") for name in missing)
    elif path:
        yield path[0], f"{'.'.join(path)}: {error.message}"
    else:
        yield None, str(error.message)
