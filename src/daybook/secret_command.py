"""A secret that a program gives, such as a vault's client: run without a shell, and asked again once a minute."""

import os
import shlex
import subprocess
import time

from daybook.errors import BadConfiguration

SECONDS_MAX = 10.0
KEPT_SECONDS = 60.0
"""So long what it said holds: settings are looked at every second or two, and a vault counts who asks."""
BYTES_MAX = 64 * 1024
_kept: dict[str, tuple[float, str]] = {}


def ask(variable: str, command: str) -> str:
    """What the command writes to its stdout, without white space around it.

    Raises BadConfiguration when it can't be run, fails, says nothing, or takes too long; never with what it said. Its
    stderr goes where this process's does.
    """
    kept = _kept.get(command)
    if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    try:
        words = shlex.split(command)
        # Other secrets of ours are none of its business.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=SECONDS_MAX,
            check=False,
            env=environ,
        )
    except subprocess.TimeoutExpired:
        raise _failed(variable, f"did not end within {SECONDS_MAX:.0f} s") from None
    except OSError as error:
        raise _failed(variable, f"can't be run: {error.strerror}") from None
    except (ValueError, IndexError):
        raise _failed(variable, "can't be read: write it as in a shell, with its quotes closed") from None
    said = done.stdout[: BYTES_MAX + 1].decode("utf-8", "replace").strip()
    if done.returncode != 0 or not said or len(done.stdout) > BYTES_MAX:
        why = f"ended with {done.returncode}" if done.returncode else "said nothing, or too much"
        raise _failed(variable, why)
    _kept[command] = time.monotonic(), said
    return said


def _failed(variable: str, why: str) -> BadConfiguration:
    return BadConfiguration(f"the command in {variable} {why}", field=variable)
