"""What every route shares: who asks and what for, what is let in, how it is answered, and the description of it."""
