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
        f"Postgres does not let Daybook's role do this: {said}. Let DAYBOOK_POSTGRES name the role that the command "
        "needs: daybook_read for questions, daybook_append for changes, for everything else the one that ran "
        "`daybook migrate`; after an upgrade, run `daybook migrate --roles` again",
        field="DAYBOOK_POSTGRES",
    )
