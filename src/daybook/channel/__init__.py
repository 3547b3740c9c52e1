"""What a channel's author reads: the contract, the HTTP client, pace, and kits for sandboxes and tests."""
