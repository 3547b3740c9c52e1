"""The read side's engine: what a channel promises, and everything that it need not know about."""

from pathlib import Path

from daybook.postgres import sql

# Lists are parameters in binary form (`%b`): in text form psycopg quotes every element, a quarter of a runner's time.
QUERIES = sql.load(Path(__file__).with_name("queries.sql"))
