"""SKU, GTIN, money, locale and code: what is taken, what it becomes, what is refused, also for nasty input."""

from decimal import Decimal

import iso4217
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from stdnum import ean

from daybook.errors import InvalidValue
from daybook.values import (
    AMOUNT_MAX,
    LocaleParts,
    Money,
    check_money,
    exponent,
    gtin_problem,
    locale_parts,
    parse_code,
    parse_locale,
    parse_money,
    parse_sku,
)

CURRENCIES = sorted(one.value for one in iso4217.Currency if one.exponent is not None)
ANYTHING = st.one_of(
    st.text(), st.none(), st.integers(), st.floats(), st.booleans(), st.lists(st.text()), st.binary(), st.decimals()
)


@given(st.sampled_from(CURRENCIES), st.integers(0, AMOUNT_MAX))
@example("JPY", 0)
@example("KWD", 1)
@example("UYW", AMOUNT_MAX)
def test_printed_money_reads_back_as_the_same_money_in_every_currency(currency: str, amount: int) -> None:
    money = Money(amount, currency)
    number, printed_currency = str(money).split(" ")

    assert parse_money(number, printed_currency) == money
    assert parse_money(money.decimal(), currency) == money


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_the_minor_unit_is_the_currencys_own(currency: str, digits: int) -> None:
    assert exponent(currency) == digits
    assert parse_money("7", currency) == Money(7 * 10**digits, currency)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("19.99", 1999), ("0", 0), ("-0", 0), ("+5", 500), ("007", 700), ("1.10000", 110), (19.99, 1999)],
)
def test_a_decimal_number_is_money(text: object, amount: int) -> None:
    assert parse_money(text, "EUR") == Money(amount, "EUR")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1,50",
        "1 000",
        "1_000",
        " 5",
        "5\n",
        "0x10",
        "1e3",
        "1e999999999",
        "NaN",
        "Infinity",
        "-Infinity",
        "١٩",
        "１９",
        "19.99 EUR",
        "€5",
        "--1",
        "1.",
        ".5",
    ],
)
def test_what_is_no_plain_decimal_number_is_refused_and_the_field_is_named(text: object) -> None:
    with pytest.raises(InvalidValue, match=r"^amount: ") as caught:
        parse_money(text, "EUR", "amount")
    assert caught.value.details["field"] == "amount"


@pytest.mark.parametrize(
    ("text", "currency"),
    [("0.001", "EUR"), ("1.5", "JPY"), ("1.0001", "KWD"), ("1.000000000000000000000000001", "EUR")],
)
def test_money_is_never_rounded(text: str, currency: str) -> None:
    with pytest.raises(InvalidValue, match="more decimals"):
        parse_money(text, currency)


@pytest.mark.parametrize("text", ["-0.01", "-1", "10000000000000.01", "99999999999999999999"])
def test_a_price_is_between_zero_and_what_every_json_reader_keeps_exact(text: str) -> None:
    with pytest.raises(InvalidValue, match="between 0 and"):
        parse_money(text, "EUR")


@pytest.mark.parametrize("money", [Money(-1, "EUR"), Money(AMOUNT_MAX + 1, "EUR"), Money(1, "eur"), Money(1, "XAU")])
def test_ready_made_money_is_checked_too(money: Money) -> None:
    with pytest.raises(InvalidValue):
        check_money(money)


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "XXX", "XAU", "E\x00R", None, 978, [], {"EUR": 1}])
def test_what_is_no_currency_is_refused(currency: object) -> None:
    with pytest.raises(InvalidValue, match="currency"):
        exponent(currency)


def test_the_error_of_a_repeated_bad_currency_names_the_field_of_each_caller() -> None:
    for field in ("amount", "channel.currency"):
        with pytest.raises(InvalidValue, match=f"^{field}: "):
            exponent("EURO", field)


@pytest.mark.parametrize("text", ["9" * 5000, None, True, [], {}, b"5", Decimal("NaN"), Decimal("1E+3"), 1e300])
def test_what_is_no_text_of_a_price_is_refused_too(text: object) -> None:
    with pytest.raises(InvalidValue, match=r"^amount: "):
        parse_money(text, "EUR", "amount")


@given(ANYTHING)
@example("١٩٩٩")
def test_money_of_anything_is_money_or_a_refusal(text: object) -> None:
    try:
        money = parse_money(text, "EUR")
    except InvalidValue:
        return
    assert 0 <= money.amount <= AMOUNT_MAX
    assert money.decimal() == Decimal(str(text))


@pytest.mark.parametrize("sku", ["A", "7", "SKU-1", "a.b_c~d:e+f-g", "x" * 64])
def test_a_sku_is_kept_as_it_is(sku: str) -> None:
    assert parse_sku(sku) == sku


@pytest.mark.parametrize(
    "sku",
    ["", " ", "-a", ".a", "a b", "a/b", "a\n", "\na", "a\x00", "é", "Ａ", "@reference", "a%2Fb", "x" * 65, None, 7, []],
)
def test_what_is_no_sku_is_refused(sku: object) -> None:
    with pytest.raises(InvalidValue, match=r"^sku: ") as caught:
        parse_sku(sku)
    assert caught.value.details["field"] == "sku"


@given(ANYTHING)
def test_a_sku_of_anything_is_that_thing_or_a_refusal(text: object) -> None:
    try:
        sku = parse_sku(text)
    except InvalidValue:
        return
    assert sku == text
    assert sku.isascii() and 1 <= len(sku) <= 64
    assert not set(sku) & set("/@# \t\n*>")


@pytest.mark.parametrize("code", ["a", "name", "long_description-2", "akeneo.name", "x" * 100, "9"])
def test_a_code_is_kept_as_it_is(code: str) -> None:
    assert parse_code(code, "attribute") == code


@pytest.mark.parametrize("code", ["", "_a", "a@nl", "a#b", "a/b", "a\n", "x" * 101, "é", None, 5, ["a"]])
def test_what_is_no_code_is_refused(code: object) -> None:
    with pytest.raises(InvalidValue, match=r"^attribute: "):
        parse_code(code, "attribute")


# The examples of GS1 and of stdnum's own documentation: GTIN-8, -12 (UPC), -13 (EAN), -14.
@pytest.mark.parametrize("gtin", ["73513537", "978-0-471-11709-4".replace("-", ""), "614141999996", "98412345678908"])
def test_a_gtin_with_the_right_check_digit_has_no_problem(gtin: str) -> None:
    assert gtin_problem(gtin) is None


@given(
    st.sampled_from([7, 11, 12, 13]).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n)), st.integers(1, 9)
)
def test_one_check_digit_of_ten_fits_and_the_problem_names_it(body: str, off: int) -> None:
    assume(body.strip("0"))
    right = ean.calc_check_digit(body)
    wrong = str((int(right) + off) % 10)

    assert gtin_problem(body + right) is None
    assert gtin_problem(body + wrong) == f"has the wrong check digit: {body} needs {right}, not {wrong}"


@pytest.mark.parametrize(
    ("gtin", "problem"),
    [
        ("", "other than digits"),
        ("n/a", "other than digits"),
        ("4006381 33393", "other than digits"),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", "other than digits"),
        ("²²²²²²²²", "other than digits"),
        ("123456789", "has 9 digits"),
        ("4006381333932", "wrong check digit"),
        ("00000000", "zeros only"),
        ("0000000000000", "zeros only"),
    ],
)
def test_a_wrong_gtin_says_what_is_wrong(gtin: str, problem: str) -> None:
    assert problem in str(gtin_problem(gtin))


@given(st.text())
def test_any_text_gets_a_verdict_on_being_a_gtin(text: str) -> None:
    problem = gtin_problem(text)
    assert problem is None or problem


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("nl-BE", "nl-BE"),
        ("nl_BE", "nl-BE"),
        ("NL-be", "nl-BE"),
        ("nl", "nl"),
        ("zh-Hans-CN", "zh-Hans-CN"),
        ("zh_CN", "zh-CN"),
        ("sr_Latn_CS", "sr-Latn-CS"),
        ("en_029", "en-029"),
        ("iw_IL", "iw-IL"),
        ("ha_Latn_NG", "ha-Latn-NG"),
        ("de_1901", "de-1901"),
        ("ca_es_VALENCIA", "ca-ES-valencia"),
        ("sr_latn", "sr-Latn"),
        ("en-001", "en-001"),
    ],
)
def test_a_locale_has_one_form(text: str, locale: str) -> None:
    assert parse_locale(text) == locale


@pytest.mark.parametrize(
    ("locale", "parts"),
    [
        ("nl", ("nl", None, None)),
        ("nl-BE", ("nl", None, "BE")),
        ("zh-CN", ("zh", None, "CN")),
        ("zh-Hans-CN", ("zh", None, "CN")),
        ("zh-Hant-TW", ("zh", None, "TW")),
        ("zh-Hans-TW", ("zh", "Hans", "TW")),
        ("sr-Cyrl-RS", ("sr", None, "RS")),
        ("sr-Latn-RS", ("sr", "Latn", "RS")),
        ("sr-Latn", ("sr", "Latn", None)),
        ("es-419", ("es", None, "419")),
        ("ca-ES-valencia", ("ca", None, "ES")),
        ("de-1996", ("de", None, None)),
    ],
)
def test_a_locale_is_taken_apart_and_its_script_is_told_where_it_is_not_the_usual_one(
    locale: str, parts: tuple[str, str | None, str | None]
) -> None:
    assert locale_parts(locale) == LocaleParts(*parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "xx",
        "xx-NL",
        "nl-XX",
        "nl-",
        "-nl",
        "nl--BE",
        "nl BE",
        "C",
        "root",
        "de_DE@euro",
        "nl_BE.UTF-8",
        "nl\n",
        "nl-BE#ecommerce",
        "ｎｌ",
    ],
)
def test_what_is_no_locale_is_refused(text: object) -> None:
    with pytest.raises(InvalidValue, match=r"^labels: "):
        parse_locale(text, "labels")


ONCE_ONE = [
    ("sr_Latn_CS", "sr_Cyrl_CS"),
    ("zh_CN", "zh_Hans_CN"),
    ("zh_TW", "zh_Hant_TW"),
    ("sr_RS", "sr_Cyrl_RS"),
    ("iw_IL", "he_IL"),
    ("tl_PH", "fil_PH"),
    ("mo_MD", "ro_MD"),
    ("de_1901", "de_1996"),
    ("ha_Latn_NG", "ha_NG"),
    ("iu_Cans_CA", "iu_CA"),
]


@pytest.mark.parametrize(("one", "other"), ONCE_ONE)
def test_two_locales_never_fall_together(one: str, other: str) -> None:
    assert parse_locale(one) != parse_locale(other)


@pytest.mark.parametrize("tag", [None, 7, [], {"nl": 1}, "nl-" * 500])
def test_what_is_no_text_of_a_locale_is_refused_too(tag: object) -> None:
    with pytest.raises(InvalidValue, match=r"^locale: "):
        parse_locale(tag)


@given(st.one_of(ANYTHING, st.from_regex(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,4}){0,2}", fullmatch=True)))
def test_a_locale_once_parsed_stays_what_it_is_and_fits_a_slot(text: object) -> None:
    try:
        locale = parse_locale(text)
    except InvalidValue:
        return
    assert parse_locale(locale) == locale
    assert not set(locale) & set("@#_ ")
