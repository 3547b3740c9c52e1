"""Measurements against real servers; `python -m tests.benchmarks` runs them all."""
