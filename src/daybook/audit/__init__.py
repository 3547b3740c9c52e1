"""Checking that the book keeps its promises."""

from pathlib import Path

from daybook.postgres import sql

QUERIES = sql.load(Path(__file__).with_name("queries.sql"))
