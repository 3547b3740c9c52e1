"""Intents about the catalogue's model. Each brings the whole definition; the same one again changes nothing."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from daybook.catalogue.rules import check_decimal
from daybook.commands.scene import Change, Scene
from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import AttributeDefined, CatalogueEvent, CategoryDefined, ChannelConfigured, FamilyDefined
from daybook.events.envelope import REFERENCE_KEY
from daybook.values import check_text, exponent, parse_code, parse_locale

LABEL_LENGTH_MAX = 1000


class DefineAttribute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="define_attribute"):
    """What an attribute is, from now on."""

    attribute: AttributeDefined

    def decide(self, scene: Scene) -> list[Change]:
        """Refuses a pattern that is no regular expression, and a bound that is no number."""
        wish = self.attribute
        if wish.pattern is not None:
            try:
                re.compile(wish.pattern)
            except re.error as error:
                raise InvalidValue("attribute.pattern", f"is no regular expression: {error}", wish.pattern) from None
        for field in ("minimum", "maximum"):
            if getattr(wish, field) is not None:
                check_decimal(getattr(wish, field), f"attribute.{field}")
        options = tuple(msgspec.structs.replace(one, labels=_labels(one.labels)) for one in wish.options)
        wish = msgspec.structs.replace(wish, labels=_labels(wish.labels), options=options)
        return _define("attribute", wish.code, wish, scene.reference.attributes)


class DefineFamily(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="define_family"):
    """Which attributes a family has, and which each channel scope requires, from now on."""

    family: FamilyDefined

    def decide(self, scene: Scene) -> list[Change]:
        """Every attribute that is named must be defined."""
        wish = self.family
        named = (*wish.attributes, *(code for codes in wish.required.values() for code in codes))
        for code in named:
            if code not in scene.reference.attributes:
                raise NotFound(f"family.attributes: there is no attribute {code!r}; define it first", field=code)
        wish = msgspec.structs.replace(wish, labels=_labels(wish.labels))
        return _define("family", wish.code, wish, scene.reference.families)


class DefineCategory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="define_category"):
    """A node of a category tree, from now on."""

    category: CategoryDefined

    def decide(self, scene: Scene) -> list[Change]:
        """The parent must be defined and may not lie below the category itself."""
        wish = self.category
        if wish.parent is not None:
            if wish.parent not in scene.reference.categories:
                raise NotFound(f"category.parent: there is no category {wish.parent!r}; define it first")
            if wish.code in {one.code for one in scene.reference.category_path(wish.parent)}:
                raise InvalidValue("category.parent", f"{wish.parent} lies below {wish.code}", wish.parent)
        wish = msgspec.structs.replace(wish, labels=_labels(wish.labels))
        return _define("category", wish.code, wish, scene.reference.categories)


class ConfigureChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="configure_channel"):
    """How a channel reads the catalogue, from now on."""

    channel: ChannelConfigured

    def decide(self, scene: Scene) -> list[Change]:
        """Refuses unknown locales and currencies, and a channel that was removed."""
        wish = self.channel
        if wish.name in scene.reference.removed:
            raise Refused(
                f"the channel {wish.name} was removed: `daybook channel add {wish.name}` brings it back",
                channel=wish.name,
            )
        exponent(wish.currency)
        locales = tuple(parse_locale(one, "channel.locales") for one in wish.locales)
        wish = msgspec.structs.replace(wish, locales=locales)
        return _define("channel", wish.name, wish, scene.reference.channels)


def _define(noun: str, code: str, wish: CatalogueEvent, there: Mapping[str, Any]) -> list[Change]:
    parse_code(code, f"{noun}.code")
    return [Change(f"{noun}/{code}", None, REFERENCE_KEY, [] if there.get(code) == wish else [wish])]


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    return {
        parse_locale(locale, "labels"): check_text(label, f"labels.{locale}", LABEL_LENGTH_MAX)
        for locale, label in labels.items()
    }
