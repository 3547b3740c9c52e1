"""PHP's patterns in an export: they take and refuse the same values here, or are left out with a reason."""

import pytest

from daybook.catalogue.patterns import check_pattern
from daybook.errors import InvalidValue
from daybook.importing.akeneo.patterns import translated


def takes(pattern: str, text: str) -> bool:
    try:
        check_pattern(translated(pattern), text, "value")
    except InvalidValue:
        return False
    return True


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("/^[[:alnum:]]{4,8}$/", "AB12", "a"),
        ("/^[[:^digit:]]+$/", "abc", "1"),
        ("{^[a-z]+$}i", "ABC", "1"),
        ("#^a/b$#", "a/b", "ab"),
        ("(^x+$)", "xx", "y"),
        ("[^a+$]", "aa", "b"),
        ("^[0-9]{3}$", "123", "x"),
        ("/^a\\/b$/", "a/b", "x"),
        ("/^abc$/D", "abc", "abc\n"),
        ("/^[A-Z]++-\\d+\\z/", "AB-12", "AB-12\n"),
        ("/^[\\p{L} ]+$/u", "Zoë", "Zoë1"),
        ("/^\\w+$/", "ab", "é"),
        ("/^\\w+$/u", "é", "-"),
        ("/^\\Qa.b\\E$/", "a.b", "axb"),
        ("/^\\x{41}$/", "A", "B"),
        ("/abc/A", "abcd", "xabc"),
        ("/ ^ a b $ /x", "ab", "a b"),
        ("/^[^]]$/", "a", "]"),
        ("/^[a-z&&[^b]]$/", "&]", "a"),
    ],
)
def test_a_pattern_takes_and_refuses_what_php_does(pattern: str, good: str, bad: str) -> None:
    assert (takes(pattern, good), takes(pattern, bad)) == (True, False)


@pytest.mark.parametrize("pattern", ["/^a$/e", "/^(a)(?1)$/", "/^\\X$/u", "/(*UTF8)a/", "/[/", "/a{,3}/"])
def test_a_pattern_without_a_counterpart_is_left_out_with_a_reason(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"counterpart|no regular expression|means something else"):
        translated(pattern)
