"""Running Daybook: all of it, one role, the migrations, the settings, the demonstration."""
