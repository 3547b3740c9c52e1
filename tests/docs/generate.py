"""Writes the reference pages that are made from the source: `python -m tests.docs.generate`.

A test compares what is written with what this module would write now.
"""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec

import daybook
from daybook import limits
from daybook.channel.contract import Manifest
from daybook.channel.registry import installed
from daybook.cli.main import EXITS, MEANINGS, UNEXPECTED
from daybook.errors import DaybookError
from daybook.events import (
    AccessEvent,
    CatalogueEvent,
    EventDiscarded,
    ListingEvent,
    OperationEvent,
    OrderEvent,
    PersonEvent,
    ProductEvent,
    Recorded,
    StockEvent,
)
from daybook.events.codec import NAMES
from daybook.http_settings import HttpSettings
from daybook.queries.stream_state import spoken
from daybook.queries.waiting import WAYS, WaitingItem
from daybook.server import admission, connection, listener
from daybook.stream.permissions import USERS
from daybook.web.problems import STATUS
from tests.architecture.layers import CHANNEL_MAY_IMPORT, FOREIGN, LAYERS, NEVER
from tests.docs.describe import columns, fields, structs_in, summary, table

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = DOCS / "reference"
NOTE = "<!-- Generated from the source: `python -m tests.docs.generate` writes it, a test compares it. -->"

FAMILIES = (
    ("Products", "Stream `product/<sku>`.", ProductEvent),
    ("Stock", "Stream `stock/<sku>`. Quantities are whole pieces.", StockEvent),
    (
        "Orders",
        "Stream `order/<channel>:<number>`. Amounts are minor units of the order's currency. What an order does to"
        " stock is an event of the stock, appended in the same command.",
        OrderEvent,
    ),
    ("The catalogue's model", "Streams `attribute/`, `family/`, `category/` and `channel/<code>`.", CatalogueEvent),
    ("Listings: what a channel answered", "Stream `listing/<channel>/<sku>`.", ListingEvent),
    (
        "Operations: what people do to a channel",
        "Stream `projection/<channel>`. Recorded before it takes effect.",
        OperationEvent | EventDiscarded,
    ),
    ("Access", "Streams `user/<login>` and `refusals/<key>`. No secret and no person's name is in them.", AccessEvent),
    (
        "People",
        "Stream `person/<id>`, and `disclosure/<id>` for who was shown what. No event holds a value.",
        PersonEvent,
    ),
)

NATS_HEAD = """\
# A NATS server for Daybook: a user for each role, with the subjects that it needs and no other.
#
# Generated from the source: `python -m tests.docs.generate` writes it, and tests run every role on it. The passwords
# come from the server's environment: begin each with a letter, and use letters and digits only, as the server reads
# them like a part of this file. compose.yaml starts it; in a cluster, add `cluster` and `tls` to it.

# Only for the health check inside the container, and of no use to anybody else.
http: "127.0.0.1:8222"

# An event's message has at most 1,000,000 bytes.
max_payload: 1MB

# Upper bounds and no reservations: the relay makes the stream as large as there is room for, and says how large.
jetstream {
  store_dir: /data
  max_memory_store: 64MB
  max_file_store: 64GB
}

accounts {
  DAYBOOK: {
    jetstream: { max_mem: 64MB, max_file: 64GB, max_streams: 2, max_consumers: 1000 }
    users: [
"""
NATS_END = """
    ]
  }
}
"""

ANSWERED = (
    ("malformed_record", "An import: told row by row, and the exit code of the whole."),
    ("folder_in_use", "A second `daybook up`, `demo` or command that needs servers, on one data folder."),
    ("lost_the_fence", "Inside the relay: it reads the stream's last sequence again and goes on. Nobody else sees it."),
)
"""Codes that need a word about where they turn up."""


def events() -> str:
    """docs/reference/events.md."""
    lines = [
        "# Events",
        "",
        NOTE,
        "",
        "Every event that the book can hold. A stored name never changes; a new shape gets a new version, and old ones",
        "are lifted when they are read.",
        "",
        "## The columns of every event",
        "",
        *table(("Column", "Type", "What it holds"), _columns()),
    ]
    parts: dict[str, type[Any]] = {}
    for title, where, family in FAMILIES:
        lines += ["", f"## {title}", "", where]
        for cls in get_args(family):
            lines += ["", f"### `{NAMES[cls]}`", "", summary(cls.__doc__)]
            rows = fields(cls)
            if rows:
                lines += ["", *_fields(rows)]
            for one in msgspec.structs.fields(cls):
                parts |= {found.__name__: found for found in structs_in(one.type)}
    lines += ["", "## Parts of events"]
    for name in sorted(_with_inner(parts)):
        cls = _with_inner(parts)[name]
        lines += ["", f"### {name}", "", summary(cls.__doc__), "", *_fields(fields(cls))]
    return "\n".join(lines) + "\n"


def channels() -> str:
    """docs/reference/channels.md."""
    lines = [
        "# Channels",
        "",
        NOTE,
        "",
        "The channels that come with Daybook, as their manifests have them. A facet is sent when it differs from what",
        "the channel confirmed last; the first one creates the listing and takes it off.",
    ]
    kinds = {kind: [one for one in installed().channels() if one.kind == kind] for kind in ("listing", "work")}
    for manifest in kinds["listing"]:
        lines += ["", *_channel(manifest)]
    lines += [
        "",
        "# Works",
        "",
        "What should be done when an order comes: see [write a work](../how-to/write-a-work.md).",
    ]
    for manifest in kinds["work"]:
        lines += ["", *_channel(manifest)]
    return "\n".join(lines) + "\n"


def errors() -> str:
    """docs/reference/errors.md."""
    rows = [
        (f"`{code}`", str(STATUS.get(code, 500)), str(EXITS.get(code, UNEXPECTED)), summary(_first(cls.__doc__)))
        for code, cls in sorted(_errors().items())
    ]
    return (
        "\n".join(
            [
                "# Errors",
                "",
                NOTE,
                "",
                "Every error that Daybook raises on purpose has a code that never changes. HTTP translates it to a",
                "status, the command line to an exit code. `version_conflict` is 412 where `If-Match` was given. The",
                "codes of the HTTP protocol itself are in [http.md](http.md).",
                "What no request should ever meet is a 500.",
                "",
                *table(("Code", "HTTP", "Exit", "What happened"), rows),
                "",
                "## Where some of them turn up",
                "",
                *table(("Code", "Where"), [(f"`{code}`", text) for code, text in ANSWERED]),
                "",
                "## Exit codes",
                "",
                *table(("Exit", "Meaning"), [(str(number), text) for number, text in MEANINGS.items()]),
            ]
        )
        + "\n"
    )


def limits_page() -> str:
    """docs/reference/limits.md."""
    rows = [
        (_sentence(one.of), f"{one.most:,} {one.unit}".strip(), one.instead)
        for one in vars(limits).values()
        if isinstance(one, limits.Limit)
    ]
    return (
        "\n".join(
            [
                "# Limits",
                "",
                NOTE,
                "",
                "Everything that can be sent has a limit, far above what real catalogues hold, so that one product",
                "can't hold up all others. What is beyond it is refused whole, as `invalid_value`: the message names",
                "the limit, what was given and what to do instead; over HTTP `limit` and `given` have the two numbers.",
                "What was there before there was a limit may stay and change, only not grow.",
                "",
                *table(("What", "At most", "When more is needed"), rows),
                "",
                "At the HTTP edge, in each process; what is set is in "
                "[run in production](../how-to/run-in-production.md#settings):",
                "",
                *table(("What", "At most", "Beyond it"), _http_limits()),
                "",
                f"One event has at most {limits.EVENT_BYTES_MAX:,} bytes, as it travels as one NATS message.",
                "Attribute values and the options of an attribute are kept in several events of one command when they",
                "need more.",
                "",
                f"Of a channel's refusal at most {limits.REASONS_MAX} reasons are kept, each of at most",
                f"{limits.REASON_LENGTH_MAX:,} characters; of the rest it is said how many there were.",
            ]
        )
        + "\n"
    )


def waiting() -> str:
    """docs/reference/waiting.md."""
    rows = [
        (
            f"`{kind}`",
            way.level,
            spoken(way.bound_seconds) if way.bound_seconds else "at once",
            way.counts,
            _sentence(way.meaning),
        )
        for kind, way in WAYS.items()
    ]
    return (
        "\n".join(
            [
                "# What can wait",
                "",
                NOTE,
                "",
                "Every way in which something can wait, as `daybook status`, `GET /api/v1/status` and `/health/ready`",
                "have it. Each has a bound, after which a person is told: it is `overdue`, and unless it is a note",
                "`daybook status` ends with exit code 8. A `submission` has the bound of its channel's manifest.",
                "",
                "- `failure`: no channel is fed any more. Overdue, it makes `/health/ready` a 503.",
                "- `warning`: somebody has to look. Requests are served meanwhile.",
                "- `note`: work that waits for a person, as every catalogue has.",
                "",
                *table(("Kind", "Level", "Told after", "Counts", "What it is"), rows),
                "",
                "## What is said of each",
                "",
                *_fields(fields(WaitingItem)),
            ]
        )
        + "\n"
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def floors() -> str:
    """docs/reference/floors.md."""
    rooms = [
        (name if first else "", f"`{room}`", why)
        for name, steps in reversed(LAYERS)
        for first, (room, why) in zip(
            [True, *[False] * 99], (one for step in reversed(steps) for one in step.items()), strict=False
        )
    ]
    homes = [(f"`{name}`", ", ".join(f"`{one}`" for one in rooms_), why) for name, (rooms_, why) in FOREIGN.items()]
    return (
        "\n".join(
            [
                "# Floors",
                "",
                NOTE,
                "",
                "Who may import whom. An import goes down, or stays in its room. The order within a layer is in",
                "`tests/architecture/layers.py`, the reasons are in [decision 10](../decisions/0010-floors.md).",
                "",
                *table(("Layer", "Room", "Why"), rooms),
                "",
                "Wherever the layers put them, these never meet:",
                "",
                *table(("Room", "Never imports", "Why"), [(f"`{a}`", f"`{b}`", why) for a, b, why in NEVER]),
                "",
                "A channel's folder may import its own modules and, of Daybook,",
                ", ".join(f"`{one}`" for one in CHANNEL_MAY_IMPORT) + ".",
                "",
                "## Foreign libraries",
                "",
                "`msgspec` is everywhere. The others have homes:",
                "",
                *table(("Library", "Rooms", "Why"), homes),
            ]
        )
        + "\n"
    )


def nats_conf() -> str:
    """docs/reference/nats.conf."""
    users = []
    for name, permitted in USERS.items():
        allowed = permitted.of(name)
        lists = [
            line
            for verb in ("publish", "subscribe")
            for line in (f"        {verb}: [", *(f'          "{one}"' for one in allowed[verb]), "        ]")
        ]
        head = f"      {{ user: {name}, password: $NATS_{name.upper()}_PASSWORD, permissions: {{"
        users += [head, *lists, "      } }"]
    return NATS_HEAD + "\n".join(users) + NATS_END


PAGES: dict[str, Callable[[], str]] = {
    "nats.conf": nats_conf,
    "events.md": events,
    "channels.md": channels,
    "errors.md": errors,
    "floors.md": floors,
    "limits.md": limits_page,
    "waiting.md": waiting,
}


def _http_limits() -> list[tuple[str, str, str]]:
    http = HttpSettings()
    return [
        (
            "Requests of one address, and of one key",
            f"{http.rate:,} a second, {2 * http.rate:,} at once",
            "429 with `Retry-After`",
        ),
        ("Requests under way of one address, and of one key", f"{http.concurrent:,}", "429 with `Retry-After`"),
        ("Requests under way", f"{http.concurrent * admission.TOGETHER:,}", "503 with `Retry-After`"),
        (
            "Connections",
            f"{http.connections:,}, half of them of one address",
            "the one that was idle for the longest ends; without one, the new one does",
        ),
        ("Headers of a request", f"{admission.HEADERS_MAX}, {admission.HEAD_BYTES_MAX:,} bytes", "431"),
        ("Time for the headers", f"{connection.HEAD_SECONDS:.0f} s", "the connection ends"),
        ("Time for the body", f"{connection.BODY_SECONDS:.0f} s", "408"),
        ("Time for the answer", f"{connection.ANSWER_SECONDS:.0f} s", "503"),
        ("Time in which nothing of an answer is read", f"{connection.UNREAD_SECONDS:.0f} s", "the connection ends"),
        ("Silence between two requests", f"{connection.KEEP_ALIVE_SECONDS} s", "the connection ends"),
        ("Time for a handshake", f"{listener.HANDSHAKE_SECONDS:.0f} s", "the connection ends"),
    ]


def _columns() -> list[tuple[str, ...]]:
    plain = {"int": "whole number", "str": "text", "datetime": "time"}
    found: list[tuple[str, ...]] = []
    for name, kind, said in columns(Recorded):
        words = [plain.get(one, "null" if one == "None" else "") for one in kind.split(" | ")]
        if all(words):
            found.append((f"`{name}`", ", or ".join(words), said))
    return found


def _fields(rows: list[tuple[str, str, str, str]]) -> list[str]:
    return table(("Field", "Type", "When left out", "Meaning"), [(f"`{n}`", t, d, s) for n, t, d, s in rows])


def _with_inner(parts: dict[str, type[Any]]) -> dict[str, type[Any]]:
    inner = {
        found.__name__: found
        for part in parts.values()
        for one in msgspec.structs.fields(part)
        for found in structs_in(one.type)
    }
    return parts | inner


def _channel(manifest: Manifest) -> list[str]:
    module = importlib.import_module(f"projections.{manifest.name}")
    defaults = manifest.defaults
    facts = [
        ("Code version", str(manifest.version)),
        ("Facets, in the order of sending", ", ".join(f"`{one}`" for one in manifest.facets)),
        ("Lane", f"one {'SKU' if manifest.lane == 'sku' else 'product group'} at a time"),
        ("Requests under way at once", str(manifest.in_flight_max)),
        ("Scope of texts", f"`{defaults.scope}`" if defaults.scope else "none"),
        ("Locales", ", ".join(f"`{one}`" for one in defaults.locales) or "none"),
        ("Currency and price list", f"`{defaults.currency}`, `{defaults.price_list}`"),
        ("Stock locations", ", ".join(f"`{one}`" for one in defaults.locations) or "all"),
        ("`extra`", f"`{msgspec.json.encode(defaults.extra).decode()}`" if defaults.extra else "nothing"),
        ("Has a connector, a sandbox", f"{_yes(manifest.connector)}, {_yes(manifest.sandbox)}"),
        ("Settings that its sandbox gives", ", ".join(f"`{one}`" for one in _settings(manifest)) or "none"),
    ]
    return [
        f"## `{manifest.name}`: {manifest.title}",
        "",
        summary(module.__doc__),
        "",
        *table(("", ""), facts),
    ]


def _settings(manifest: Manifest) -> list[str]:
    keys = manifest.sandbox().settings() if manifest.sandbox is not None else {}
    return [f"DAYBOOK_CHANNEL_{manifest.name.upper()}_{key.upper()}" for key in keys]


def _yes(given: object) -> str:
    return "no" if given is None else "yes"


def _errors() -> dict[str, type[DaybookError]]:
    for module in pkgutil.walk_packages(daybook.__path__, "daybook."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[str, type[DaybookError]] = {}
    waiting: list[type[DaybookError]] = [DaybookError]
    while waiting:
        cls = waiting.pop()
        found.setdefault(cls.code, cls)
        waiting += cls.__subclasses__()
    return {code: cls for code, cls in found.items() if cls.__module__.startswith("daybook.")}


def _first(text: str | None) -> str:
    return (text or "").partition("\n\n")[0]


def main() -> None:
    """Writes every page."""
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make())
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
