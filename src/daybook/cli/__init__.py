"""The command line: parse, call one thing, render. Nothing is decided here.

Modules of this package import only what parsing needs; what a command calls is imported when it runs, so that
`daybook --help` answers at once.
"""
