"""Access: what users may do, could do, and were refused."""
