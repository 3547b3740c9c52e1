"""The part `privacy` of the command line."""
