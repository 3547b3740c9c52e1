"""What Postgres does not let Daybook do: a role that may only read, or a database that takes no changes."""

import psycopg

from daybook.errors import NotPermitted

REFUSALS = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
"""The driver's errors that `in_words` tells. They pass every room as they are; the edges translate them."""


def in_words(error: Exception) -> NotPermitted:
    """The refusal in Postgres's own words, with the next step; nothing was changed."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else str(error)
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return NotPermitted(
            f"Postgres takes no changes here: {said}. The database is a standby, or set to read only: let "
            " DAYBOOK_POSTGRES name the one that takes changes",
            field="DAYBOOK_POSTGRES",
        )
    return NotPermitted(
        f"Postgres does not let Daybook's role do this: {said}. Questions need a role that may read; for everything "
        "else, let DAYBOOK_POSTGRES name the role that ran `daybook migrate`",
        field="DAYBOOK_POSTGRES",
    )
