"""Folds the log into listings, one projection at a time, live and in rebuilds. It knows no channel's HTTP."""
