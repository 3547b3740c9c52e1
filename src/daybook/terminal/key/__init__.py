"""Keys: what users show to the API."""
