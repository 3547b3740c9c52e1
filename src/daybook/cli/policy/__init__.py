"""`daybook policy`: what follows in the book from what is in it."""
