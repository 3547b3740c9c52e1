"""What must stay as it is stays, and what was lost is noticed."""

import pytest

from daybook_projections.deepl.marks import marked, problem, unmarked


@pytest.mark.parametrize(
    ("text", "sent", "handling"),
    [
        ("A & B", "A & B", None),
        ("Voor {0} & <meer>", "Voor <x>{0}</x> &amp; &lt;meer&gt;", "xml"),
        ("<p>Voor {0}</p>", "<p>Voor <x>{0}</x></p>", "html"),
        ('<a href="https://x.example/{0}">x</a>', '<a href="https://x.example/{0}">x</a>', "html"),
        ("Van Acme, Acmeer", "Van <x>Acme</x>, Acmeer", "xml"),
    ],
)
def test_what_is_kept_is_marked_and_comes_back(text: str, sent: str, handling: str | None) -> None:
    made = marked(text, ["Acme"])
    assert (made.text, made.handling) == (sent, handling)
    assert unmarked(made.text, made) == text


@pytest.mark.parametrize(
    ("source", "draft", "why"),
    [
        ("Voor {0}", "Für {0}", None),
        ("Voor {0}", "Für", "placeholder_lost: {0}"),
        ("Van Acme", "Von Akme", "placeholder_lost: Acme"),
        ("<b>12</b> cm", "<b>12</b> cm", "not_translated: it is its source, word for word"),
        ("<b>Rood</b>", "Rot", "markup_changed: it has other HTML than its source"),
        ("12 cm rood", "21 cm rot", "number_changed: it has other numbers than its source"),
        ("Acme", "Acme", None),
    ],
)
def test_what_is_lost_is_told(source: str, draft: str, why: str | None) -> None:
    assert problem(source, draft, ["Acme"]) == why
