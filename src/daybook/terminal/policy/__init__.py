"""Policies, as they are seen."""
