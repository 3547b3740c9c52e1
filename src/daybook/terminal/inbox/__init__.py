"""What `daybook inbox` does and shows."""
