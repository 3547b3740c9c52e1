"""Many products changed by a sheet."""
