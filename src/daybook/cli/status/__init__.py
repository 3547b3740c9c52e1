"""The part `status` of the command line."""
