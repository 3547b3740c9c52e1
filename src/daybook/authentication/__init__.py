"""Who a caller is and what it may, from a state of the log that is half a second old at most."""

from pathlib import Path

from daybook.postgres import sql

QUERIES = sql.load(Path(__file__).with_name("queries.sql"))
