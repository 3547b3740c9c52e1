"""The text of a header."""


def header_text(given: str) -> str:
    """Headers arrive as Latin-1 whatever their sender meant; today that is mostly UTF-8."""
    try:
        return given.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        return given.strip()
