"""A small bol.com to test against: `server` has its operations, the others what they rest on."""
