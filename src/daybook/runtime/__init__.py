"""Starting Daybook and keeping it up: all of it on one machine, one role, the migrations, what a role logs."""
