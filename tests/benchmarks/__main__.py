"""Runs every benchmark of this folder in turn, each in a process of its own; arguments are passed through.

Ends with the number of benchmarks that failed.
"""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Runs them in the order of their names."""
    failed = 0
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        command = [sys.executable, "-m", f"tests.benchmarks.{path.stem}", *sys.argv[1:]]
        done = subprocess.run(command, check=False)
        if done.returncode:
            failed += 1
            print(f"{path.stem} failed with exit code {done.returncode}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
