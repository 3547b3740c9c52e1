"""Changes that hold from a moment on, as they are typed and seen."""
