"""Questions about texts that machines draft: each as it stands, and what they cost. Answered by the completeness."""

from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from daybook.completeness.stopped import TextStop, stopped
from daybook.errors import InvalidValue
from daybook.limits import ROWS
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import load
from daybook.projection.generations import Generation, never_ran
from daybook.texts.standing import STATES, TextStanding, TextState
from daybook.values import parse_locale, parse_sku

QUERIES = load(Path(__file__).with_name("drafts.sql"))
MODEL = "completeness"


class TextRow(TextStanding, frozen=True, kw_only=True):
    """A text of one product, where it stands, why, and what can be done."""

    sku: str
    position: int
    """Of the change that it stands so since."""
    since: datetime | None
    reason: str
    next_step: str | None


class TextPage(msgspec.Struct, frozen=True):
    """Texts in the order of SKUs, and the `after` of the next page; null on the last one."""

    texts: list[TextRow]
    next: str | None


class TextCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many texts stand so in one locale."""

    engine: str
    locale: str
    state: TextState
    texts: int
    characters: int
    """What the drafts cost; of those that are wanted or stale, what they will."""
    since: datetime | None
    refused: int
    """How many of them the engine refused, so that none is coming."""


class TextStatus(msgspec.Struct, frozen=True, kw_only=True):
    """All texts by state, and what each engine billed in this calendar month."""

    counts: list[TextCount]
    to_draft_characters: int
    """What is wanted or stale, before it is paid for."""
    billed_this_month: dict[str, int]


def generation(pool: Pool) -> Generation:
    """The read model as it is live. Raises NotFound before it ran."""
    rows = fetch(pool, QUERIES["live"], (MODEL,))
    if not rows or rows[0][0] is None:
        raise never_ran(MODEL)
    return Generation(MODEL, rows[0][0])


def page(
    pool: Pool,
    *,
    state: str | None = None,
    locale: str | None = None,
    sku: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> TextPage:
    """Texts that machines draft. Raises InvalidValue, NotFound and Unavailable."""
    check_rows(limit)
    if state is not None and state not in STATES:
        raise InvalidValue("state", f"must be one of {', '.join(STATES)}", state)
    sku_after, facet_after = after_of(after)
    given = {
        "state": state,
        "locale": None if locale is None else parse_locale(locale, "locale"),
        "sku": None if sku is None else parse_sku(sku),
        "sku_after": sku_after,
        "facet_after": facet_after,
        "limit": limit,
    }
    found = fetch(pool, generation(pool).composed(QUERIES["page"]).decode(), given)
    rows = _with_stops(pool, [_row(*one) for one in found])
    last = found[-1] if len(found) == limit else None
    return TextPage(rows, None if last is None else f"{last[0]}~{last[1]}")


def status(pool: Pool) -> TextStatus:
    """How many texts stand how, and what they cost. Raises NotFound and Unavailable."""
    rows = fetch(pool, generation(pool).composed(QUERIES["counts"]).decode())
    counts = [
        TextCount(
            engine=engine,
            locale=locale,
            state=state,
            texts=texts,
            characters=int(characters),
            since=since,
            refused=refused,
        )
        for engine, locale, state, texts, characters, since, refused in rows
    ]
    return TextStatus(
        counts=counts,
        to_draft_characters=sum(one.characters for one in counts if one.state in ("wanted", "stale")),
        billed_this_month={engine: int(characters) for engine, characters in fetch(pool, QUERIES["billed"])},
    )


def check_rows(limit: int) -> None:
    """Raises InvalidValue for a page that is too long, or empty."""
    if not 1 <= limit <= ROWS.most:
        raise InvalidValue("limit", f"must be between 1 and {ROWS.most}", limit)


def after_of(after: str | None) -> tuple[str, str]:
    """The SKU and facet behind which a page goes on. Raises InvalidValue."""
    if after is None:
        return "", ""
    sku, mark, facet = after.rpartition("~")
    if not mark or not facet:
        raise InvalidValue("after", "must be the `next` of a page", after[:200])
    return sku, facet


def _row(sku: str, _: str, payload: str, position: int, since: datetime | None) -> TextRow:
    one = msgspec.json.decode(payload, type=TextStanding)
    told = f": {one.problem}" if one.problem else ""
    return TextRow(
        **{name: getattr(one, name) for name in TextStanding.__struct_fields__},
        sku=sku,
        position=position,
        since=since,
        reason=STATES[one.state] + told,
        next_step=_next_step(sku, one),
    )


def _with_stops(pool: Pool, rows: list[TextRow]) -> list[TextRow]:
    """What waits for its engine in vain says why."""
    waiting = [one for one in rows if one.state in ("wanted", "stale")]
    stops: dict[tuple[str, str, str], TextStop] = {}
    for engine in {one.engine for one in waiting}:
        found = stopped(pool, engine, {one.sku for one in waiting if one.engine == engine})
        stops |= {(engine, sku, where): why for (sku, where), why in found.items()}
    return [
        replace(one, reason=why.reason, next_step=why.next_step)
        if one.state in ("wanted", "stale") and (why := stops.get((one.engine, one.sku, one.slot)))
        else one
        for one in rows
    ]


def _next_step(sku: str, one: TextStanding) -> str | None:
    words = f"{sku} {one.attribute} {one.locale}" + (f" --scope {one.scope}" if one.scope else "")
    match one.state:
        case "draft" if one.problem is None:
            return f"daybook text approve {words}"
        case "draft" | "rejected":
            return f"daybook text retry {words}"
        case "wanted" | "stale":
            return f"daybook channel show {one.engine}"
    return None
