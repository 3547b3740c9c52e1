"""Drafts of texts, as they are seen, and approved many at once."""
