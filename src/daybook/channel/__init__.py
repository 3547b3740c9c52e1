"""The read side's engine: what a channel promises, and everything that it need not know about."""

from pathlib import Path

from daybook.postgres import sql

QUERIES = sql.load(Path(__file__).with_name("queries.sql"))
