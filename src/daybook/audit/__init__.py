"""Proving that the book is what it promises to be."""
