"""The catalogue as a whole: shown page by page, exported."""
