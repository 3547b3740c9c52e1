"""The bundled catalogue: an outdoor and household brand that does not exist, in any size.

Everything is made up here, so it may be shown, shipped and sent to a sandbox. GTINs are valid and from the range that
GS1 keeps for use inside a company (prefix 20), so none of them is anybody's. Two products carry a flaw that a
marketplace refuses: see NO_BRAND_SKU and TOO_DEAR_SKU.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from stdnum import ean

from daybook.commands import ConfigureChannel, DefineAttribute, DefineCategory, DefineFamily, DescribeProduct
from daybook.commands.describe import MediaItem, Price
from daybook.demo.vocabulary import Family, Texts, Vocabulary, vocabulary
from daybook.errors import InvalidValue
from daybook.events import (
    AttributeChange,
    AttributeDefined,
    AttributeOption,
    CategoryDefined,
    ChannelConfigured,
    FamilyDefined,
    Measure,
    Value,
)
from daybook.importing import records
from daybook.importing.records import Header, Record

PRODUCTS = 300
NO_BRAND_SKU = "LMP-00001"
"""The only product without a brand: Amazon refuses it with issue 90220."""
TOO_DEAR_SKU = "LMP-00002"
"""The only product above 9,999 euros: bol refuses the price."""
TOO_DEAR_CENTS = 1_249_500
CHANNELS = ("webshop", "amazon", "bol")
LOCALES = ("nl-NL", "de-DE", "en-GB")
LOCATIONS = ("utrecht", "leipzig")
SCOPE = "ecommerce"

_COMMON = ("name", "description", "short_description", "brand", "color", "material", "weight")
_COMMON_END = ("warranty_years", "launched_on", "image")


def generate(products: int = PRODUCTS, seed: int = 1) -> Iterator[Record]:
    """Definitions, then products with parents first: exactly so many that can be sold, beside their models.

    The same arguments give the same records, and fewer products are the first of more (the last group may be cut
    short). Memory does not grow with the number. Raises InvalidValue for fewer than two: the two flawed ones come
    first.
    """
    if products < 2:
        raise InvalidValue("products", "must be at least 2", products)
    words = vocabulary()
    yield from definitions(words)
    made = 0
    for group in _groups(words, Random(seed)):
        for record in group:
            if record.kind != "model":
                made += 1
            yield record
            if made == products:
                return


def write(path: Path, products: int = PRODUCTS, seed: int = 1) -> None:
    """The catalogue as a file in the neutral format, header first."""
    with path.open("wb") as file:
        file.write(records.encode(Header()))
        file.writelines(records.encode(record) for record in generate(products, seed))


def definitions(words: Vocabulary) -> Iterator[Record]:
    """Attributes, categories, families, and the three channels."""
    options: dict[str, tuple[AttributeOption, ...]] = {
        "color": tuple(AttributeOption(code, labels) for code, labels in words.colors.items()),
        "material": tuple(AttributeOption(code, labels) for code, labels in words.materials.items()),
        "size": tuple(AttributeOption(code, dict.fromkeys(LOCALES, code)) for code in words.sizes),
        "shoe_size": tuple(AttributeOption(code, dict.fromkeys(LOCALES, code)) for code in words.shoe_sizes),
    }
    for code, one in words.attributes.items():
        defined = AttributeDefined(
            code=code,
            type=one.type,
            labels=one.labels,
            localizable=one.localizable,
            options=options.get(code, ()),
            unit=one.unit,
            length_max=one.length_max,
            minimum=one.minimum,
            maximum=one.maximum,
        )
        yield DefineAttribute(attribute=defined)
    for category in words.categories:
        wish = CategoryDefined(code=category.code, parent=category.parent, labels=category.labels)
        yield DefineCategory(category=wish)
    for code, family in words.families.items():
        yield DefineFamily(
            family=FamilyDefined(
                code=code,
                labels=family.labels,
                attributes=(*_COMMON, *family.attributes, *_COMMON_END),
                required={SCOPE: ("name", "description", "brand", *(axis for level in family.axes for axis in level))},
                label_attribute="name",
                image_attribute="image",
            )
        )
    yield from channels(words)


def channels(words: Vocabulary) -> Iterator[ConfigureChannel]:
    """How each channel reads the catalogue. Dutch first; what has no Dutch text is shown in English."""
    amazon = {
        "product_types": {code: family.amazon for code, family in words.families.items()},
        "axes": {"color": "color", "size": "size", "shoe_size": "size"},
    }
    extras: dict[str, dict[str, Any]] = {
        "webshop": {"attributes": ["material", "weight", "volume"]},
        "amazon": amazon,
        "bol": {"countries": ["NL", "BE"], "schedule": "BOL_DELIVERY_PROMISE", "days_min": 1, "days_max": 2},
    }
    for name in CHANNELS:
        locations = () if name == "webshop" else LOCATIONS[:1]
        settings = ChannelConfigured(
            name=name, scope=SCOPE, locales=("nl-NL", "en-GB"), locations=locations, extra=extras[name]
        )
        yield ConfigureChannel(channel=settings)


def _groups(words: Vocabulary, random: Random) -> Iterator[Iterator[DescribeProduct]]:
    """One group after the other without end: the two flawed lamps, then every family in turn."""
    numbers = dict.fromkeys(words.families, 0)
    gtins = _gtins()
    families = ["lamps", "lamps"]
    while True:
        for code in families:
            numbers[code] += 1
            yield _Line(words, code, numbers[code], random, gtins).records()
        families = list(words.families)


def _gtins() -> Iterator[str]:
    """GTIN-13s from the in-store range, each once, for up to ten thousand million products."""
    for number in range(1, 10**10):
        body = f"20{number:010d}"
        yield body + ean.calc_check_digit(body)


class _Line:
    """One product line: a plain product, or a model with its variants."""

    def __init__(self, words: Vocabulary, code: str, number: int, random: Random, gtins: Iterator[str]) -> None:
        self.words = words
        self.code = code
        self.family: Family = words.families[code]
        self.random = random
        self.gtins = gtins
        self.sku = f"{self.family.prefix}-{number:05d}"
        turn, series = divmod(number - 1, len(words.series))
        self.series = words.series[series] + (f" {turn + 1}" if turn else "")
        self.noun = random.choice(self.family.nouns)
        low, high = self.family.price
        self.cents = random.randrange(low, high, 500) - 5
        if self.sku == TOO_DEAR_SKU:
            self.cents = TOO_DEAR_CENTS
        self.material = random.choice(self.family.materials)
        self.grams = random.randrange(self.family.weight[0], self.family.weight[1], 10)
        self.litres = random.choice(self.family.volume) if self.family.volume else None

    def records(self) -> Iterator[DescribeProduct]:
        """The group's descriptions, parents first."""
        axes = self.family.axes
        if not axes:
            color = self.random.choice(list(self.words.colors))
            yield self._sold(self.sku, "product", None, (*self._shared(), _plain("color", color)))
            return
        yield self._model(self.sku, None, axes[0], self._shared(), self._media(self.sku))
        colors = self.random.sample(list(self.words.colors), self.random.randint(2, 4))
        for color in colors:
            sku = f"{self.sku}-{color.upper()}"
            if len(axes) == 2:
                yield self._model(sku, self.sku, axes[1], (_plain("color", color),), self._media(sku))
                for size in self._run(self.words.sizes, 3, 5):
                    yield self._sold(f"{sku}-{size}", "variant", sku, (_plain("size", size),))
            elif len(axes[0]) == 2:
                for size in self._run(self.words.shoe_sizes, 4, 7):
                    own = (_plain("color", color), _plain("shoe_size", size))
                    yield self._sold(f"{sku}-{size}", "variant", self.sku, own)
            else:
                yield self._sold(sku, "variant", self.sku, (_plain("color", color),))

    def _run(self, sizes: tuple[str, ...], least: int, most: int) -> tuple[str, ...]:
        """Some sizes that follow each other."""
        count = self.random.randint(least, min(most, len(sizes)))
        start = self.random.randint(0, len(sizes) - count)
        return sizes[start : start + count]

    def _model(
        self,
        sku: str,
        parent: str | None,
        axes: tuple[str, ...],
        attributes: tuple[AttributeChange, ...],
        media: tuple[MediaItem, ...],
    ) -> DescribeProduct:
        return DescribeProduct(
            sku=sku,
            kind="model",
            parent=parent,
            family=self.code,
            axes=axes,
            attributes=attributes,
            prices=self._prices(self.cents) if parent is None else (),
            categories=(self.family.category,) if parent is None else (),
            media=media,
            channels=dict.fromkeys(CHANNELS, True) if parent is None else {},
        )

    def _sold(
        self, sku: str, kind: str, parent: str | None, attributes: tuple[AttributeChange, ...]
    ) -> DescribeProduct:
        """What has a GTIN and stock. A variant takes price, texts and listings from its model."""
        plain = kind == "product"
        return DescribeProduct(
            sku=sku,
            kind="product" if plain else "variant",
            parent=parent,
            family=self.code,
            gtin=next(self.gtins),
            attributes=attributes,
            prices=self._prices(self.cents) if plain else (),
            categories=(self.family.category,) if plain else (),
            media=() if parent is not None and parent != self.sku else self._media(sku),
            channels=dict.fromkeys(CHANNELS, True) if plain else {},
            stock={LOCATIONS[0]: self.random.randint(0, 240), LOCATIONS[1]: self.random.randint(0, 60)},
        )

    def _prices(self, cents: int) -> tuple[Price, ...]:
        prices = [Price(amount=_amount(cents), currency="EUR")]
        if self.random.random() < 0.3:
            prices.append(Price(amount=_amount(cents * 86 // 100 // 100 * 100 + 95), currency="GBP"))
        return tuple(prices)

    def _media(self, sku: str) -> tuple[MediaItem, ...]:
        url = f"https://images.example.com/{sku.lower()}.jpg"
        return (MediaItem(media_id="image", url=url, role="image"),)

    def _shared(self) -> tuple[AttributeChange, ...]:
        """What all variants of the line have in common."""
        day = f"20{self.random.randint(19, 25)}-{self.random.randint(1, 12):02d}-{self.random.randint(1, 28):02d}"
        values: dict[str, Value] = {
            "material": self.material,
            "weight": Measure(str(self.grams), "GRAM"),
            "warranty_years": self.random.choice((2, 3, 5, 10)),
            "launched_on": day,
        }
        if self.sku != NO_BRAND_SKU:
            values["brand"] = self.family.brand
        if self.litres is not None:
            values["volume"] = Measure(self.litres, "LITER")
        for code in ("waterproof", "dishwasher_safe"):
            if code in self.family.attributes:
                values[code] = self.random.random() < 0.6
        return (*self._texts(), *(_plain(code, value) for code, value in values.items()))

    def _texts(self) -> Iterator[AttributeChange]:
        """Names in all locales. One line in six has no Dutch description yet, one in six no German one."""
        use, feature = self.random.choice(self.family.uses), self.random.choice(self.family.features)
        untranslated = self.random.choice((None, None, None, None, "nl-NL", "de-DE"))
        material = self.words.materials[self.material]
        for locale in LOCALES:
            yield AttributeChange(attribute="name", locale=locale, value=self._name(locale))
            if locale == untranslated:
                continue
            made_of = _MADE_OF[locale].format(material[locale])
            text = f"{use[locale]} {feature[locale]} {made_of}"
            yield AttributeChange(attribute="description", locale=locale, value=text)
            yield AttributeChange(attribute="short_description", locale=locale, value=use[locale])

    def _name(self, locale: str) -> str:
        """`Dagrugzak Linde, 24 l`."""
        amount = "" if self.litres is None else f", {_localised(self.litres, locale)} l"
        return f"{self.noun[locale]} {self.series}{amount}"


_MADE_OF: Texts = {"nl-NL": "Materiaal: {}.", "de-DE": "Material: {}.", "en-GB": "Material: {}."}


def _plain(code: str, value: Value) -> AttributeChange:
    return AttributeChange(attribute=code, value=value)


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _localised(number: str, locale: str) -> str:
    return number if locale == "en-GB" else number.replace(".", ",")
