"""A whole Daybook under every fault, with writers that keep their own truth: `python -m tests.chaos`."""
