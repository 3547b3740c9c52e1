"""The log: the one truth. Append through `application.Log`, read through `reader`."""

from pathlib import Path

from daybook.postgres import sql

QUERIES = sql.load(Path(__file__).with_name("queries.sql"))
