"""A rebuild makes a projection anew from the log, beside the one that is live: fill, follow, plan, switch.

`run` leads: `code` is what is rebuilt with; `ranges`, `fill`, `copy_rows` and `workers` fill a new generation in
parallel; `follow` brings it level, `plan` says what would change, `switch` makes it the live one; `prune` drops old
ones, and `give_way` lets runners at work go first.
"""

from pathlib import Path

from daybook.postgres import sql

QUERIES = sql.load(Path(__file__).with_name("queries.sql"))
