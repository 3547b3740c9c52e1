"""Changes that hold from a moment on: pure decisions about when."""
