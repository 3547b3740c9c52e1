"""Terms as conditions on the listings of the search: SQL of constants alone, and the parameters that it is given."""

from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from daybook.access.authority import Reach
from daybook.catalogue.marks import MOST, bands, said
from daybook.catalogue.reference import Reference
from daybook.catalogue.typed import truth, value
from daybook.errors import Forbidden, InvalidValue
from daybook.filters.names import KINDS, check_slot, unknown
from daybook.filters.visible import outside
from daybook.product.state import slot_parts
from daybook.queries.reach import channels_within, within
from daybook.search.terms import EXAMPLES, STATES, Term, Wanted
from daybook.values import exponent, parse_money

LANGUAGES = (
    *("ar", "da", "nl", "en", "fi", "fr", "de", "el", "hu", "id", "ga", "it", "lt", "no", "pt", "ro", "ru", "es"),
    *("sv", "tr"),
)
"""Whose words are taken apart; those of others are found as they are written."""
PLAIN = ("kind", "family", "parent", "category", "channel")
THINGS = ("family", "parent", "gtin", "categories", "channels", "prices", "media", "stock")
"""What a product may have or lack, besides an attribute and one price."""


DEFAULT_LIST = "default"
"""Of prices that name no list."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what the book is like meanwhile."""

    reference: Reference
    products: Reach
    channels: Reach
    """Of `channel.read`: whose states may be asked for."""
    position_of: Callable[[str], int]
    """The position of a moment that was typed."""
    listings_of: Callable[[str], str]
    """The table of a channel's listings, quoted. Raises NotFound."""
    check_channel: Callable[[str, str], str]
    """(name, field) -> the name of a channel that there is or was. Raises InvalidValue."""
    any_has: Callable[[str], bool]
    """Whether a product within reach has a mark."""


class Conditions:
    """Conditions, gathered one by one; `text` joins them."""

    def __init__(self, asking: Asking, wished: Wanted, *, near: bool = False) -> None:
        """`near`: words that are nearly these count too. Raises InvalidValue, Forbidden."""
        self._asking, self._found = asking, ["true"]
        self.parameters: dict[str, Any] = {}
        self._scope()
        for word in wished.words:
            self._word(word, near)
        for one in wished.terms:
            try:
                self._term(one)
            except InvalidValue as error:
                field, reason = error.details["field"], error.details["reason"]
                said = reason if field == one.parameter else f"{field}: {reason}"
                raise InvalidValue(one.parameter, str(said), error.details["value"]) from error

    @property
    def text(self) -> str:
        """All of them, as SQL on a listing `l`."""
        return "\n  AND ".join(self._found)

    def _add(self, condition: str, **given: Any) -> None:
        for name, one in given.items():
            number = f"{name}_{len(self.parameters)}"
            self.parameters[number] = one
            condition = condition.replace(f"%({name})s", f"%({number})s")
        self._found.append(condition)

    def _marks(self, names: Iterable[str], *, without: bool = False) -> None:
        """Has one of these, or none."""
        self._add(f"{'NOT ' if without else ''}l.marks && %(marks)s::text[]", marks=list(names))

    def _scope(self) -> None:
        found = within(self._asking.products, self._asking.reference)
        if found is None:
            return
        alternatives, given = ["false"], {}
        for number, (categories, channels) in enumerate(found.alternatives):
            parts = ["true"]
            for prefix, names in (("in", categories), ("sold", channels)):
                if names is not None:
                    parts.append(f"l.marks && %({prefix}{number})s::text[]")
                    given[f"{prefix}{number}"] = [f"{prefix}:{name}" for name in sorted(names)]
            alternatives.append(" AND ".join(parts))
        self._add(f"({' OR '.join(f'({one})' for one in alternatives)})", **given)

    def _word(self, word: str, near: bool) -> None:
        if near:
            self._add("l.near %%> %(word)s", word=word)
            return
        exact = "(l.words @@ found_query(%(word)s, %(languages)s::text[]) OR l.marks @> %(id)s::text[])"
        self._add(exact, word=word, languages=list(LANGUAGES), id=[f"id:{word}"])

    def _term(self, one: Term) -> None:
        noun, _, rest = one.field.partition(".")
        if one.field == "stock":
            self._amount(one, "stock", Decimal(1))
        elif noun == "prices" and rest.rpartition(".")[0]:
            self._amount(one, one.field, Decimal(10) ** exponent(rest.rpartition(".")[2], one.field))
        elif one.field == "changed":
            self._changed(one)
        elif one.operator not in ("=", "!="):
            raise InvalidValue(one.field, "can be asked for with = and != only", one.operator)
        elif one.field == "by":
            self._by(one)
        elif one.field in STATES:
            self._state(one)
        else:
            self._mark(one)

    def _mark(self, one: Term) -> None:
        """What a mark says as it is."""
        without = one.operator == "!="
        match one.field:
            case "sku" if one.value.endswith("*"):
                self._add(f"starts_with(l.sku, %(begin)s) = {str(not without).lower()}", begin=one.value[:-1])
            case "sku":
                self._add(f"l.sku {'<>' if without else '='} %(sku)s", sku=one.value)
            case "gtin":
                self._add(f"(coalesce(l.payload->>'gtin', '') = %(gtin)s) = {str(not without).lower()}", gtin=one.value)
                if not without:
                    self._marks([f"id:{one.value}"])
            case "discontinued":
                self._marks(["discontinued"], without=truth(one.field, one.value) == without)
            case "has" | "missing":
                self._marks([f"has:{self._thing(one)}"], without=(one.field == "missing") != without)
            case "channel" if not self._sees(one.value):
                raise outside(f"{one.field}={one.value}", "product.read")
            case name if name in PLAIN:
                self._check_name(one)
                self._marks([f"{name}:{one.value}"], without=without)
            case slot:
                self._value(slot, one, without)

    def _check_name(self, one: Term) -> None:
        """Raises InvalidValue for a kind, channel, family or category that there is not."""
        reference = self._asking.reference
        if one.field == "channel":
            self._asking.check_channel(one.value, one.field)
        elif one.field == "kind" and one.value not in KINDS:
            raise unknown(one.field, one.field, one.value, KINDS)
        elif one.field in ("family", "category"):
            there = reference.families if one.field == "family" else reference.categories
            if one.value not in there:
                raise unknown(one.field, one.field, one.value, there)

    def _check_price(self, field: str, name: str) -> None:
        """Raises InvalidValue for a price list that no channel and no price names, and a currency that there is not."""
        price_list, _, currency = name.removeprefix("prices.").rpartition(".")
        exponent(currency, field)
        lists = {DEFAULT_LIST, *(one.price_list for one in self._asking.reference.channels.values())}
        if price_list not in lists and not self._asking.any_has(f"has:{name}"):
            raise unknown(field, "price list", price_list, lists)

    def _value(self, slot: str, one: Term, without: bool) -> None:
        definition = self._asking.reference.attributes.get(slot_parts(slot)[0])
        if definition is None:
            raise InvalidValue("where", f"there is no field or attribute {slot}; such as {EXAMPLES}", one.value)
        slot = check_slot(self._asking.reference, slot, one.field)
        names = [f"is:{slot}={each}" for each in said(value(definition, one.value))]
        if not names:
            raise InvalidValue(slot, "is too long to be found whole: look for its words", one.value)
        for name in names:
            self._marks([name], without=without)

    def _thing(self, one: Term) -> str:
        restricted = channels_within(self._asking.products) is not None
        if one.value == "channels" and restricted:
            raise outside(f"{one.field}={one.value}", "product.read")
        if one.value in THINGS:
            return one.value
        if one.value.startswith("prices."):
            self._check_price(one.field, one.value)
            return one.value
        if slot_parts(one.value)[0] not in self._asking.reference.attributes:
            raise InvalidValue(
                one.field, f"must be one of {', '.join(THINGS)}, prices.LIST.CURRENCY or an attribute", one.value
            )
        return check_slot(self._asking.reference, one.value, one.field)

    def _amount(self, one: Term, name: str, units: Decimal) -> None:
        """Stock or a price: the bands of the index first, then the amount itself."""
        if name != "stock":
            self._check_price(one.field, name)
            parse_money(one.value, name.rpartition(".")[2], one.field)
        try:
            amount = Decimal(one.value)
        except InvalidOperation:
            raise InvalidValue(one.field, "must be a number", one.value) from None
        if not amount.is_finite() or abs(amount * units) >= MOST:
            raise InvalidValue(one.field, "must be a number that an amount can be", one.value)
        minor = int(amount * units)
        low, high = {
            "<": (0, minor),
            "<=": (0, minor),
            ">": (minor, None),
            ">=": (minor, None),
            "=": (minor, minor),
        }.get(one.operator, (0, None))
        self._marks(f"{name}:{number}" for number in bands(low, high))
        shown = "(l.payload->>'stock')::numeric" if name == "stock" else "(l.payload->'prices'->>%(name)s)::numeric"
        given = {} if name == "stock" else {"name": name.partition(".")[2]}
        # The operator is one of six that the term may have, and no text that somebody typed.
        self._add(f"{shown} {one.operator} %(amount)s", amount=amount, **given)

    def _state(self, one: Term) -> None:
        without = "NOT " if one.operator == "!=" else ""
        if not self._asking.channels.channel(one.value):
            raise outside(f"{one.field}={one.value}", "channel.read")
        self._asking.check_channel(one.value, one.field)
        table = self._asking.listings_of(one.value)
        if one.field == "held":
            self._add(f"{without}EXISTS (SELECT FROM {table} h WHERE h.sku = l.sku AND h.held IS NOT NULL)")
            return
        exists = (
            "EXISTS (SELECT FROM deliveries d WHERE d.channel = %(name)s AND d.sku = l.sku AND d.state = %(state)s)"
        )
        self._add(without + exists, name=one.value, state=one.field)

    def _sees(self, channel: str) -> bool:
        visible = channels_within(self._asking.products)
        return visible is None or channel in visible

    def _everywhere(self, one: Term) -> None:
        if channels_within(self._asking.products) is not None:
            raise Forbidden(
                f"{one.field} tells of changes on channels outside of your grants", permission="product.read"
            )

    def _changed(self, one: Term) -> None:
        self._everywhere(one)
        if one.operator not in (">", ">="):
            raise InvalidValue("changed", "can be asked for with > and >= a time or position", one.operator)
        self._add("l.position > %(since)s", since=self._asking.position_of(one.value))

    def _by(self, one: Term) -> None:
        self._everywhere(one)
        without = "NOT " if one.operator == "!=" else ""
        self._add(
            f"{without}EXISTS (SELECT FROM events e WHERE e.key = l.key AND e.sku = l.sku AND e.actor = %(who)s)",
            who=one.value,
        )
