"""`daybook trace`: what a person sees of it."""
