"""An endpoint to test against: `server` receives."""
