"""Many products changed at once: those that are found, by what is set; those of a sheet, by what it says."""
