"""What of a text is HTML, and what its author wanted to be read."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.channel.markup import BLOCKS, INLINE, escaped, only, words

SOME = ("b", "br", "p")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Koffer", "Koffer"),
        ("<p>Een</p><p class='x' data-y=1>twee</p>", "Een twee"),
        ("a<b>b</b>c<br>d<br/>e", "abc d e"),
        ("R&amp;D &euro; 5 &#169; &#xA9;", "R&D € 5 © ©"),
        ("AT&T, Q&notes, fish &chips", "AT&T, Q&notes, fish &chips"),
        ("breedte < 10 cm", "breedte < 10 cm"),
        ("Fits <M and >S. Lasts 6 months.", "Fits <M and >S. Lasts 6 months."),
        ("Size a<b and c>d.", "Size a<b and c>d."),
        ("Sizes <S> and <XL>", "Sizes <S> and <XL>"),
        ("was <s>10</s> 8", "was 10 8"),
        ("Press <select>, then <link>", "Press <select>, then <link>"),
        ("<link rel='x'>Press <label for=x>here</label>", "Press here"),
        ("Particles <PM2.5 are held back.", "Particles <PM2.5 are held back."),
        ("Noise <b>below</b> 30 dB when <i>closed.", "Noise below 30 dB when closed."),
        ("<style>p{color:red}</style>x<script>alert('<p>')</script>", "x"),
        ("<style>p{}</style>Works with <script src=x> old players.", "Works with old players."),
        ("Works <!-- old --> and <! broken. And <!-- this.", "Works and <! broken. And <!-- this."),
        ("<P ALIGN=left>One</P><o:p></o:p>", "One"),
        ("if a<br and b>c", "if a<br and b>c"),
        ('<img src="1.jpg" alt="a > b">x', "x"),
        ("a < b <b>c</b> <", "a < b c <"),
        ("&lt;b&gt; is bold", "<b> is bold"),
        ("<p></p>", ""),
        ("", ""),
    ],
)
def test_a_reader_reads_every_word_and_no_markup(text: str, read: str) -> None:
    assert words(text) == read


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Fits <M and >S.", "Fits &lt;M and >S."),
        ("Size a<b and c>d.", "Size a&lt;b and c>d."),
        ("<p class='x'>R&amp;D &lt; R&D</p>", "<p class='x'>R&amp;D &lt; R&D</p>"),
        ('<a href="https://a.example/?b=1&c=2">b</a>', '<a href="https://a.example/?b=1&c=2">b</a>'),
        ('<video controls src="a.mp4"></video>', '<video controls src="a.mp4"></video>'),
        ("<style>p{}</style>Old <!-- not said -->players", "Old players"),
        ("Works with <script src=x>old", "Works with old"),
        ("Works and <! broken.", "Works and &lt;! broken."),
    ],
)
def test_all_markup_stays_and_a_sign_is_escaped(text: str, html: str) -> None:
    assert escaped(text) == html
    assert words(escaped(text)) == words(text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<p class=x>Een <b>twee</b></p>", "<p>Een <b>twee</b></p>"),
        ("<div>Een</div><div>twee</div>", "Een twee"),
        ("<h1>Kop</h1><em>a</em>b<BR/>c", "Kop ab<br>c"),
        ("Fits <M and >S.", "Fits &lt;M and &gt;S."),
        ("R&amp;D, R&D", "R&amp;D, R&amp;D"),
        ("&lt;b&gt;", "&lt;b&gt;"),
        ("<script>x</script>", ""),
    ],
)
def test_html_keeps_the_allowed_elements_only_and_every_word(text: str, html: str) -> None:
    assert only(text, SOME) == html


@given(st.text("<>/!-abps=' \"&;\n", max_size=60))
def test_what_was_made_plain_once_stays_so_as_html(text: str) -> None:
    html = only(text, SOME)
    assert only(html, SOME) == html
    assert words(html) == words(text)


@given(st.text(st.characters(exclude_characters="<&"), max_size=60))
def test_a_text_without_markup_keeps_every_word(text: str) -> None:
    assert words(text) == " ".join(text.split())


@pytest.mark.parametrize("piece", ["<", "<!--", '<a b="', "<p ", "<script ", "&", "<s>", "<a b=c d=e "])
def test_a_long_text_takes_time_by_its_length(piece: str) -> None:
    started = time.process_time()
    words(piece * (100_000 // len(piece)))
    assert time.process_time() - started < 2


def test_no_element_is_both_inline_and_a_block() -> None:
    assert not INLINE & BLOCKS
