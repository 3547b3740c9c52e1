"""How versions of a projection that keeps history are best stored: two B-trees, one, or PostgreSQL 18's temporal key.

The same versions (three facets a product, one of them long; the first of each, then changes by chance) are written in
batches as a runner writes them, each ending the version before it. Then moments are asked for. See decision 16.
"""

import random
import statistics
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg

from daybook.embedded.postgres import PostgresServer
from tests.benchmarks.databases import Cpu, database, server
from tests.benchmarks.report import Figure, arguments, report

FACETS = ("product", "prices", "stock")
BATCH = 1000
OPEN = 2**63 - 1
MOMENTS = (0.4, 0.7, 1.0)
"""As parts of the history: the first versions take up 0.3 of it."""
COLUMNS = """key text NOT NULL, sku text NOT NULL, facet text NOT NULL, position bigint NOT NULL, payload json,
             hash bytea NOT NULL, recorded_at timestamptz NOT NULL, until_at timestamptz"""
END = """UPDATE v SET until = n.position, until_at = now()
         FROM unnest(%b::text[], %b::text[], %b::bigint[]) AS n(key, facet, position)
         CROSS JOIN LATERAL (SELECT s.ctid AS place FROM v s
             WHERE s.key = n.key AND s.sku = n.key AND s.facet = n.facet AND STANDS LIMIT 1) AS standing
         WHERE v.ctid = standing.place"""
PUT = """INSERT INTO v (key, sku, facet, position, payload, hash, recorded_at)
         SELECT n.key, n.key, n.facet, n.position, n.payload::json, decode(md5(n.key), 'hex'), now()
         FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::text[]) AS n(key, facet, position, payload)"""


class Layout(msgspec.Struct, frozen=True):
    """One way of storing versions."""

    name: str
    make: tuple[str, ...]
    end: str
    holds: str
    put: str = PUT


LAYOUTS = (
    Layout(
        "one B-tree, open end is the greatest bigint",
        (
            f"""CREATE TABLE v ({COLUMNS}, until bigint NOT NULL DEFAULT {OPEN},
                                PRIMARY KEY (key, sku, facet, until, position))""",
        ),
        END.replace("STANDS", f"s.until = {OPEN}"),
        "position <= %(at)s AND until > %(at)s",
    ),
    Layout(
        "two B-trees, open end is null",
        (
            f"CREATE TABLE v ({COLUMNS}, until bigint, PRIMARY KEY (key, sku, facet, position))",
            "CREATE UNIQUE INDEX ON v (key, sku, facet) WHERE until IS NULL",
        ),
        END.replace("STANDS", "s.until IS NULL"),
        "position <= %(at)s AND (until IS NULL OR until > %(at)s)",
    ),
    Layout(
        "temporal key (GiST)",
        (
            "CREATE EXTENSION btree_gist",
            f"""CREATE TABLE v ({COLUMNS}, during int8range NOT NULL,
                                PRIMARY KEY (key, sku, facet, during WITHOUT OVERLAPS))""",
            "CREATE INDEX ON v (key)",
        ),
        END.replace("until = n.position", "during = int8range(lower(during), n.position)").replace(
            "STANDS", "s.during @> n.position"
        ),
        "during @> %(at)s::bigint",
        PUT.replace("recorded_at)", "recorded_at, during)").replace("now()\n", "now(), int8range(n.position, NULL)\n"),
    ),
)
QUESTIONS = {
    "one group": "SELECT facet, payload::text FROM v WHERE key = %(key)s AND",
    "50 groups": "SELECT key, facet, payload::text FROM v WHERE key = ANY(%(keys)s::text[]) AND",
    "1,000 groups": "SELECT key, facet, payload::text FROM v WHERE key > %(key)s AND key <= %(last)s AND",
}
TIMES = {"one group": 60, "50 groups": 30, "1,000 groups": 9}


def main() -> None:
    """Measures and prints."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--versions", type=int, default=1_000_000, metavar="N", help="how many versions")
    options = parser.parse_args()
    versions = 20_000 if options.quick else options.versions
    with server() as on:
        figures = [figure for layout in LAYOUTS for figure in _measure(on, layout, versions)]
    report("timeline", figures, options.json)


def _measure(on: PostgresServer, layout: Layout, versions: int) -> Iterator[Figure]:
    with database(on, "timeline") as dsn, psycopg.connect(dsn, autocommit=True) as conn:
        for statement in layout.make:
            conn.execute(statement.encode())
        conn.execute("SET synchronous_commit = off")
        cpu, begun = Cpu(on), time.perf_counter()
        for batch in _batches(versions):
            keys, facets, positions, payloads = (list(column) for column in zip(*batch, strict=True))
            with conn.transaction():
                conn.execute(layout.end.encode(), (keys, facets, positions))
                conn.execute(layout.put.encode(), (keys, facets, positions, payloads))
        rate, used = versions / (time.perf_counter() - begun), cpu.seconds() / versions * 1e6
        conn.execute("VACUUM ANALYZE v")
        sizes = conn.execute("SELECT pg_indexes_size('v'), pg_table_size('v') FROM v LIMIT 1").fetchone() or (0, 0)
        yield Figure(f"{layout.name}: writing", rate, "versions/s")
        yield Figure(f"{layout.name}: writing", used, "µs of server CPU a version")
        yield Figure(f"{layout.name}: indexes", sizes[0] / versions, "bytes/version")
        for name, question in QUESTIONS.items():
            for part in MOMENTS:
                taken, pages = _ask(conn, f"{question} {layout.holds}", versions, part, TIMES[name])
                yield Figure(f"{layout.name}: {name} at {part:.0%}", taken, "ms")
                yield Figure(f"{layout.name}: {name} at {part:.0%}", pages, "pages")


def _batches(versions: int) -> Iterator[list[tuple[str, str, int, str]]]:
    """(key, facet, position, payload); in one batch each facet occurs once."""
    chance, products = random.Random(1), versions // 10
    text = "x" * 600
    batch: dict[tuple[str, str], tuple[str, str, int, str]] = {}
    for position in range(1, versions + 1):
        if position <= 3 * products:
            number, facet = (position - 1) // 3, FACETS[(position - 1) % 3]
        else:
            number, facet = chance.randrange(products), chance.choice((*FACETS, "stock", "stock"))
        payload = msgspec.json.encode({"a": text if facet == "product" else position}).decode()
        batch[_key(number), facet] = (_key(number), facet, position, payload)
        if position % BATCH == 0:
            yield list(batch.values())
            batch.clear()


def _key(number: int) -> str:
    return f"SKU-{number:07d}"


def _ask(conn: psycopg.Connection[Any], question: str, versions: int, part: float, times: int) -> tuple[float, float]:
    """Medians over keys by chance: milliseconds, and pages touched, which say more where others are busy."""
    chance, products, taken, pages = random.Random(2), versions // 10, [], []
    for _ in range(times):
        first = chance.randrange(max(1, products - 1000))
        given = {
            "at": int(versions * part),
            "key": _key(first),
            "last": _key(first + 1000),
            "keys": [_key(chance.randrange(products)) for _ in range(50)],
        }
        begun = time.perf_counter()
        conn.execute(question.encode(), given).fetchall()
        taken.append((time.perf_counter() - begun) * 1000)
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {question}"
        ((((plan, *_),),),) = [conn.execute(explain.encode(), given).fetchall()]
        pages.append(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])
    return statistics.median(taken), statistics.median(pages)


if __name__ == "__main__":
    main()
