"""The command line: parse, call one thing, render. Nothing is decided here.

Modules of this package import only what parsing needs; what a command calls is imported when it runs, so that
`daybook --help` answers at once. What it calls is under the same noun in `terminal`, or in `runtime`.
"""
