"""The demonstration: a catalogue of our own, and what `daybook demo` shows with it."""
