"""The program's first module: quick to load, so that Ctrl-C ends it in one line before the rest is there.

`python -m daybook` is the same as the command `daybook`.
"""

import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Loads the command line and hands over to it. Ctrl-C is told from a fault at every moment, also while loading."""
    signal.signal(signal.SIGINT, _leave)
    from daybook.cli.main import run_with

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = run_with(sys.argv[1:], os.environ)
    except KeyboardInterrupt:
        code = INTERRUPTED
    signal.signal(signal.SIGINT, _leave)
    sys.exit(code)


def _leave(_number: int, _frame: object) -> None:
    # Nothing is open yet, or everything is closed: no clean-up is missed.
    os.write(2, b"daybook: interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
