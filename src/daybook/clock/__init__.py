"""The one place where time enters the book: what was planned for a moment is made due when it has come."""
