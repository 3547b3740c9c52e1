"""What a person does to a channel while it runs, and the event that says who did it."""
