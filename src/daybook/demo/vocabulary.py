"""The words of the demonstration catalogue, from `vocabulary.json` beside this file."""

from functools import lru_cache
from importlib import resources

import msgspec

from daybook.events.catalogue import AttributeType

Texts = dict[str, str]
"""By locale."""


class Attribute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An attribute's definition, without its code and options."""

    type: AttributeType
    labels: Texts
    localizable: bool = False
    length_max: int | None = None
    unit: str | None = None
    minimum: str | None = None
    maximum: str | None = None


class Category(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node of the tree."""

    code: str
    labels: Texts
    parent: str | None = None


class Family(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the products of a family are made of."""

    prefix: str
    """Its SKUs begin with it."""
    category: str
    axes: tuple[tuple[str, ...], ...]
    """The axes of each level of models; none for a family of plain products."""
    brand: str
    amazon: str
    """Amazon's product type."""
    attributes: tuple[str, ...]
    """Beside those that every family has."""
    materials: tuple[str, ...]
    price: tuple[int, int]
    """Euro cents, from and to."""
    weight: tuple[int, int]
    """Grams, from and to."""
    labels: Texts
    nouns: tuple[Texts, ...]
    uses: tuple[Texts, ...]
    features: tuple[Texts, ...]
    volume: tuple[str, ...] = ()
    """Litres."""


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it."""

    series: tuple[str, ...]
    colors: dict[str, Texts]
    sizes: tuple[str, ...]
    shoe_sizes: tuple[str, ...]
    materials: dict[str, Texts]
    attributes: dict[str, Attribute]
    categories: tuple[Category, ...]
    families: dict[str, Family]


@lru_cache
def vocabulary() -> Vocabulary:
    """The words, read once."""
    body = (resources.files("daybook.demo") / "vocabulary.json").read_bytes()
    return msgspec.json.decode(body, type=Vocabulary)
