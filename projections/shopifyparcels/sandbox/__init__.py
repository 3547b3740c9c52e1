"""A shop whose orders are fulfilled, to test against."""
