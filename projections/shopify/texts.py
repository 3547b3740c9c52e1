"""Texts as Shopify keeps them: what it would refuse is put right before it is sent. Pure."""

LENGTH_MAX = 255
"""Characters of a title, a vendor, a product type, a handle, an option's name and its value."""


def option_text(text: str) -> str:
    """The name of an option, or its value: in single white space, and without the ` / ` that Shopify puts between
    the values in a variant's title and refuses within a name."""
    return " ".join(text.split()).replace(" / ", "/")[:LENGTH_MAX].rstrip()


def cut(text: str, length_max: int = LENGTH_MAX) -> str:
    """The text in at most `length_max` characters: whole words, unless the first one alone is too long."""
    if len(text) <= length_max:
        return text
    head, space, _ = text[: length_max + 1].rpartition(" ")
    return head.rstrip() if space and head.strip() else text[:length_max]


def same_handle(one: object, other: object) -> bool:
    """Whether both are one address: Shopify spells a handle in small letters with hyphens."""
    return _letters(one) == _letters(other)


def _letters(text: object) -> str:
    return "".join(each for each in str(text or "").casefold() if each.isalnum())
