"""The table of rooms: which layer each is in, what must never meet, and where foreign libraries live."""

Steps = tuple[dict[str, str], ...]

LAYERS: tuple[tuple[str, Steps], ...] = (
    (
        "ground",
        (
            {
                "errors": "one root for every error; knows nothing",
                "ids": "identifiers that nobody has to coordinate",
                "limits": "sizes that several rooms keep to",
            },
            {
                "addresses": "addresses of servers, checked, and shown without their passwords",
                "values": "values refuse with errors",
                "postgres": "connections and migrations; knows no domain",
                "secret_command": "a secret that a program gives; refuses with errors",
                "http_settings": "what the edge lets in; refuses with errors",
                "oidc_settings": "identity providers that vouch for users; refuses with errors",
                "embedded": "servers from wheels; knows nothing of what runs on them",
            },
            {"config": "settings refuse with errors"},
        ),
    ),
    ("the vocabulary", ({"events": "made of values"},)),
    (
        "pure decisions",
        (
            {
                "access": "who may do what: permissions, roles, scopes, and the fold of what was granted",
                "product": "decides about events",
                "schedule": "decides when a planned change holds; knows no clock",
                "stock": "decides about events; product and stock do not know each other",
            },
            {
                "catalogue": "a group is products with their stock",
                "orders": "decides about an order, and with it about its stock",
            },
            {"texts": "which texts machines are to draft, where each stands, and what people may say of them"},
        ),
    ),
    (
        "the log",
        (
            {
                "log": "keeps events in Postgres; reads the reference state out of them",
                "stream": "carries events over NATS; knows neither the log nor who listens",
                "people": "keeps what is known of people, sealed; events have their ids alone",
            },
        ),
    ),
    ("the contract", ({"channel": "all that a channel's author reads: contract, HTTP client, pace, kits"},)),
    (
        "work",
        (
            {"identity": "what an identity provider says of who asks: its keys, tokens, and logins with it"},
            {
                "authentication": "who a caller is and what it may, from a state that is kept fresh",
                "commands": "the write side: decide, then append",
                "relay": "from the log to the stream, nothing else",
                "audit": "compares the log with itself and with the stream",
                "projection": "folds the log into listings; knows no channel's HTTP",
            },
            {
                "clock": "makes due what was planned: the one place where time enters the book",
                "delivery": "brings channels to what their listings show; never folds",
                "rebuild": "fills a generation of a projection beside the live one, plans and makes the switch",
                "inbox": "commands that other systems publish: taken in order for each SKU, each once",
                "intake": "orders that channels tell: kept first, then taken into the book, each once",
            },
            {"policy": "what follows in the book from what is in it: folded, decided, appended once"},
        ),
    ),
    (
        "put together",
        (
            {
                "queries": "questions to the log, and to a channel through its contract",
                "app": "builds every object once",
            },
            {"filters": "what lists are asked for and show: names that there are, and rows within a grant"},
            {
                "completeness": "questions about drafts of texts, and about what products lack",
                "operations": "what a person does to a channel while it runs, recorded with who did it",
                "search": "looks products up by what they say, have, lack and show on channels",
                "failover": "after a promotion: what the stream has and the log lost, and what follows from it",
                "importing": "says commands that a file implies; a dry run tells them in the words of the history",
                "roles": "the worker processes, made of relay, projection and delivery",
                "undo": "says commands that take events back",
            },
            {
                "exporting": "writes what importing reads",
                "edit": "says commands for many products at once: those that are found, those of a sheet",
            },
        ),
    ),
    (
        "edges",
        (
            {"web": "what every route shares: who asks, what is let in, how it is answered and described"},
            {
                "http": "decode, call, encode",
                "demo": "plays all of it, the servers too",
                "terminal": "what a typed command does once its words are understood, and what is seen of it",
            },
            {"server": "takes connections within limits, and says which requests are let in"},
            {"runtime": "starts Daybook on this machine and keeps it up"},
            {"cli": "the words of every command, their options, help and permission; the outermost edge"},
            {"__main__": "python -m daybook is the command line"},
        ),
    ),
)
"""Layers from the ground up, each in steps. A room imports from the steps below its own; rooms of one step do not
import each other. A new room is a line in its layer: nothing else is renumbered."""

STEPS: tuple[dict[str, str], ...] = tuple(step for _, steps in LAYERS for step in steps)
HEIGHT: dict[str, int] = {room: height for height, step in enumerate(STEPS) for room in step}

NEVER: tuple[tuple[str, str, str], ...] = (
    ("commands", "projection", "the write side does not know who reads"),
    ("commands", "delivery", "the write side does not know who is told"),
    ("projection", "commands", "read side and write side meet only in the log"),
    ("delivery", "commands", "read side and write side meet only in the log"),
    ("rebuild", "commands", "read side and write side meet only in the log"),
    ("rebuild", "delivery", "what is due is handed over through a table"),
    ("projection", "delivery", "what is due is handed over through a table"),
    ("channel", "postgres", "a channel's author needs no database"),
    ("channel", "stream", "a channel's author needs no stream"),
    ("channel", "log", "a channel's author needs no log"),
)
"""(room, what it never imports, why). These hold by themselves, wherever the layers put the rooms."""

CHANNEL_MAY_IMPORT = (
    "daybook.channel.contract",
    "daybook.channel.calls",
    "daybook.channel.markup",
    "daybook.channel.oauth",
    "daybook.channel.order_body",
    "daybook.channel.orders",
    "daybook.channel.personal",
    "daybook.channel.pacing",
    "daybook.channel.reach",
    "daybook.channel.sandbox",
    "daybook.channel.testing",
    "daybook.catalogue",
    "daybook.events",
    "daybook.values",
    "daybook.errors",
    "daybook.orders.state",
    "daybook.product.state",
    "daybook.stock.state",
    "daybook.texts",
)
"""All that a channel's folder may know of us; and of other channels nothing."""

FOREIGN: dict[str, tuple[tuple[str, ...], str]] = {
    "eventsourcing": (("log",), "the aggregates' library stays behind the log's door"),
    "nats": (("stream",), "whoever wants the stream asks the room stream"),
    "litestar": (("web", "http"), "the web framework is the edge's business"),
    "uvicorn": (("server",), "the server that runs the edge, and its connections"),
    "h11": (("server",), "what the server's connections tell of a request that is under way"),
    "typer": (("cli", "terminal"), "the command line's grammar, and a question before much is sent"),
    "rich": (("terminal", "demo"), "what is drawn on a terminal"),
    "openpyxl": (("importing",), "reads what people keep in Excel"),
    "psycopg": (
        ("postgres", "log", "projection", "rebuild", "delivery", "relay", "clock", "policy", "embedded"),
        "whoever owns a transaction",
    ),
    "psycopg_pool": (("postgres", "log", "authentication"), "the pool, and what a full one looks like"),
    "aiohttp": (
        ("channel", "projections", "identity"),
        "calls to channels, and sandboxes of them; questions to identity providers",
    ),
    "joserfc": (("identity",), "signed tokens: nobody writes their checks a second time"),
    "yarl": (("projections",), "an address that was signed must go out as it is written"),
    "graphql": (("projections",), "documents of an API, carried out by its pretended shop"),
    "jsonschema": (("projections",), "a marketplace's own schema of a listing"),
    "referencing": (("projections",), "the part of jsonschema that says what a schema may refer to"),
    "standardwebhooks": (("projections",), "how a webhook is signed, by the specification's own library"),
    "babel": (("values",), "which locales exist"),
    "regex": (("catalogue",), "patterns that people write for attributes"),
    "iso4217": (("values",), "which currencies exist"),
    "stdnum": (("values", "demo"), "GTIN check digits; the demo makes its own GTINs"),
    "cryptography": (("people",), "seals what is known of people; its own cipher nobody writes"),
    "tenacity": (("log",), "trying a commit again"),
    "uuid6": (("ids",), "UUIDv7"),
    "psutil": (("embedded",), "which server processes run"),
}
"""Foreign library -> (rooms that may import it, why). `msgspec` is everywhere: every struct is one."""
