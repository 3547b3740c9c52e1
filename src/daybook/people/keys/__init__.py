"""The keys of people, which may live in a database of their own, and the master key that may seal them."""
