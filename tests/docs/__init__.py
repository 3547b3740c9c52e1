"""The documentation is executed, generated and compared: what it says is true of this version."""
