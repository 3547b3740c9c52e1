"""Products by what they say, have, lack and show on channels, looked up in the projection `search`."""
