"""Intents about the catalogue's model. A whole definition, or a part of one; the same again changes nothing."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from daybook import limits
from daybook.catalogue.patterns import pattern_problem
from daybook.catalogue.rules import check_limits
from daybook.commands.decision_view import Change, DecisionView
from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import (
    AttributeDefined,
    AttributeOptionsGiven,
    CatalogueEvent,
    CategoryDefined,
    ChannelConfigured,
    FamilyDefined,
)
from daybook.events.envelope import REFERENCE_KEY
from daybook.events.parts import in_parts
from daybook.limits import Limit
from daybook.stock.decisions import check_pieces
from daybook.values import check_limit, check_text, exponent, parse_code, parse_locale

T = TypeVar("T", bound=msgspec.Struct)
_KIND = frozenset({"type", "localizable", "scopable"})
_OF_TYPE = _KIND | {"options", "unit", "length_max", "minimum", "maximum", "pattern"}
LENGTH_MAX = 10**9
"""Of what an attribute may say about the length of its texts."""


class DefineAttribute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="define_attribute"):
    """What an attribute is, from now on."""

    attribute: AttributeDefined

    def decide(self, scene: DecisionView) -> list[Change]:
        """Refuses a pattern that is no regular expression, and a limit that is no date or no number."""
        wish = self.attribute
        check_limit(limits.OPTIONS, len(wish.options), "attribute.options")
        if wish.pattern is not None:
            check_text(wish.pattern, "attribute.pattern", limits.PATTERN)
            if (problem := pattern_problem(wish.pattern)) is not None:
                raise InvalidValue("attribute.pattern", problem, wish.pattern)
        check_limits(wish)
        if wish.length_max is not None and not 0 <= wish.length_max <= LENGTH_MAX:
            raise InvalidValue("attribute.length_max", f"must be between 0 and {LENGTH_MAX}", wish.length_max)
        if wish.unit is not None:
            check_text(wish.unit, "attribute.unit", limits.OPTION_CODE)
        for one in wish.options:
            check_text(one.code, "attribute.options", limits.OPTION_CODE)
        options = tuple(msgspec.structs.replace(one, labels=_labels(one.labels)) for one in wish.options)
        wish = msgspec.structs.replace(wish, labels=_labels(wish.labels), options=options)
        (change,) = _define("attribute", wish.code, wish, scene.reference.attributes, limits.ATTRIBUTES)
        return [msgspec.structs.replace(change, events=_in_events(wish))] if change.events else [change]


def _in_events(wish: AttributeDefined) -> list[CatalogueEvent]:
    """The definition; its options in events of their own before it, when they are too many for one."""
    *before, last = in_parts(wish.options) or [()]
    given = [AttributeOptionsGiven(wish.code, part) for part in before]
    return [*given, msgspec.structs.replace(wish, options=last)]


class DefineFamily(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="define_family"):
    """Which attributes a family has, and which each channel scope requires, from now on."""

    family: FamilyDefined

    def decide(self, scene: DecisionView) -> list[Change]:
        """Every attribute that is named must be defined."""
        wish = self.family
        for codes in (wish.attributes, *wish.required.values()):
            check_limit(limits.FAMILY_ATTRIBUTES, len(codes), "family.attributes")
        check_limit(limits.SCOPES, len(wish.required), "family.required")
        for scope in wish.required:
            parse_code(scope, "family.required")
        for field in ("label_attribute", "image_attribute"):
            if getattr(wish, field) is not None:
                parse_code(getattr(wish, field), f"family.{field}")
        named = (*wish.attributes, *(code for codes in wish.required.values() for code in codes))
        for code in named:
            if code not in scene.reference.attributes:
                raise NotFound(f"family.attributes: there is no attribute {code!r}; define it first", field=code)
        wish = msgspec.structs.replace(wish, labels=_labels(wish.labels))
        return _define("family", wish.code, wish, scene.reference.families, limits.FAMILIES)


class DefineCategory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="define_category"):
    """A node of a category tree, from now on."""

    category: CategoryDefined

    def decide(self, scene: DecisionView) -> list[Change]:
        """The parent must be defined and may not lie below the category itself."""
        wish = self.category
        if wish.parent is not None:
            if wish.parent not in scene.reference.categories:
                raise NotFound(f"category.parent: there is no category {wish.parent!r}; define it first")
            path = scene.reference.category_path(wish.parent)
            if wish.code in {one.code for one in path}:
                raise InvalidValue("category.parent", f"{wish.parent} lies below {wish.code}", wish.parent)
            check_limit(limits.DEPTH, len(path) + 1, "category.parent")
        wish = msgspec.structs.replace(wish, labels=_labels(wish.labels))
        return _define("category", wish.code, wish, scene.reference.categories, limits.CATEGORIES)


class ConfigureChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="configure_channel"):
    """How a channel reads the catalogue, from now on."""

    channel: ChannelConfigured

    def decide(self, scene: DecisionView) -> list[Change]:
        """Refuses unknown locales and currencies, and a channel that was removed."""
        wish = self.channel
        if wish.name in scene.reference.removed:
            raise Refused(
                f"the channel {wish.name} was removed: `daybook channel add {wish.name}` brings it back",
                channel=wish.name,
            )
        exponent(wish.currency)
        parse_code(wish.price_list, "channel.price_list")
        if wish.scope is not None:
            parse_code(wish.scope, "channel.scope")
        check_limit(limits.LOCATIONS, len(wish.locations), "channel.locations")
        for location in wish.locations:
            parse_code(location, "channel.locations")
        check_pieces("channel.safety_stock", wish.safety_stock, 0)
        for key, value in wish.extra.items():
            web = isinstance(value, str) and value.startswith(("https://", "http://"))
            if key.endswith("_url") and value is not None and not web:
                raise InvalidValue(f"channel.extra.{key}", "must be an https or http address")
        check_limit(limits.EXTRA, len(msgspec.json.encode(wish.extra)), "channel.extra")
        check_limit(limits.CHANNEL_LOCALES, len(wish.locales), "channel.locales")
        locales = tuple(parse_locale(one, "channel.locales") for one in wish.locales)
        wish = msgspec.structs.replace(wish, locales=locales)
        return _define("channel", wish.name, wish, scene.reference.channels, limits.CHANNELS)


Definition = DefineAttribute | DefineFamily | DefineCategory | ConfigureChannel


class DefinePart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="define_part"):
    """A definition of which some fields were said: those that were left out stay as they are.

    A field is one value and is said whole. A channel that was never configured begins with the settings of its kind.
    """

    definition: Definition
    said: tuple[str, ...]
    """Names of fields."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """As the definition that it comes to."""
        return self._whole(scene).decide(scene)

    def _whole(self, scene: DecisionView) -> Definition:
        reference = scene.reference
        match self.definition:
            case DefineAttribute(attribute=attribute):
                return DefineAttribute(attribute=self._attribute(attribute, reference.attributes.get(attribute.code)))
            case DefineFamily(family=family):
                return DefineFamily(family=self._merged(family, reference.families.get(family.code)))
            case DefineCategory(category=category):
                return DefineCategory(category=self._merged(category, reference.categories.get(category.code)))
            case ConfigureChannel(channel=channel):
                there = reference.channels.get(channel.name) or scene.first_settings(channel.name)
                return ConfigureChannel(channel=self._merged(channel, there))

    def _attribute(self, wish: AttributeDefined, there: AttributeDefined | None) -> AttributeDefined:
        """Says the kind of value whole: `type`, `localizable`, `scopable`. Limits and options are a type's own."""
        another = there is not None and there.type != wish.type
        return self._merged(wish, there, _OF_TYPE if another else _KIND)

    def _merged(self, wish: T, there: T | None, whole: frozenset[str] = frozenset()) -> T:
        if there is None:
            return wish
        said = whole.union(self.said)
        unsaid = {field: getattr(there, field) for field in there.__struct_fields__ if field not in said}
        return msgspec.structs.replace(wish, **unsaid)


def _define(noun: str, code: str, wish: CatalogueEvent, there: Mapping[str, Any], most: Limit) -> list[Change]:
    parse_code(code, f"{noun}.code")
    if code not in there:
        check_limit(most, len(there) + 1, noun)
    return [Change(f"{noun}/{code}", None, REFERENCE_KEY, [] if there.get(code) == wish else [wish])]


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    check_limit(limits.LABELS, len(labels), "labels")
    return {
        parse_locale(locale, "labels"): check_text(label, f"labels.{locale}", limits.LABEL)
        for locale, label in labels.items()
    }
