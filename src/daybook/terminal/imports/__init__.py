"""Catalogues that come in from files."""
