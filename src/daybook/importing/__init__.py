"""Bringing a catalogue into the book: readers for each format, and one way in for all of them.

A reader (`akeneo.read`, `jsonl.read`) checks its input first and gives rows; `ingest.ingest` carries the rows out.
"""
