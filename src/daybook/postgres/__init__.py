"""Connections, migrations and named SQL. Nothing here knows the domain."""
