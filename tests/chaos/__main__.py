"""`python -m tests.chaos --minutes 30 --seed 7`. Exit code 1 when an invariant is broken, 130 after Ctrl-C."""

import argparse
import secrets
import sys

from daybook.embedded.supervisor import sigterm_interrupts
from tests.chaos.report import as_json, show
from tests.chaos.run import Options, Run
from tests.fixtures.servers import temporary_data


def main() -> int:
    """Runs, tells, and gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="about how long; 2 when not given")
    parser.add_argument("--seed", default=None, help="the same seed gives the same faults; random when not given")
    parser.add_argument("--writers", type=int, default=4, help="how many write at the same time")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two commands of a writer, on average")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables and progress")
    given = parser.parse_args()
    seed = given.seed or secrets.token_hex(4)
    try:
        with sigterm_interrupts(), temporary_data() as data:
            options = Options(given.minutes, seed, given.writers, given.pause)
            result = Run(options, data, quiet=given.json).go()
    except KeyboardInterrupt:
        sys.stderr.write("stopped; nothing is left running\n")
        return 130
    if given.json:
        sys.stdout.write(as_json(result) + "\n")
    else:
        show(result)
    return 1 if result.broken else 0


if __name__ == "__main__":
    sys.exit(main())
