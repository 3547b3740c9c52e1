"""Brings channels to the state that their listings show, and keeps account of what they answered."""
