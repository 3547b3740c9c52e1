"""PHP's regular expressions, as Akeneo keeps them, in the form that the book checks: the same meaning, or none."""

import re

from daybook.catalogue.patterns import pattern_problem

_PARTNERS = {"(": ")", "[": "]", "{": "}", "<": ">"}
_FLAGS = "imsx"
_WITHOUT_EFFECT = "uSXU"
"""`u` is read apart. Whether a quantifier is greedy decides what is matched, not whether something is."""
_TOKEN = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|\Z)|\\x\{(?P<hex>[0-9A-Fa-f]{1,6})\}|(?P<posix>\[:\^?[a-z]+:\])|\\(?P<escaped>.)"
    r"|(?P<call>\(\*|\(\?(?:R|&|P>|[+-]?[0-9]))|(?P<open>\[\^?\]?)|(?P<plain>.)",
    re.DOTALL,
)
_VERTICAL = r"\n\x0b\f\r\x85\u2028\u2029"
_ESCAPES = {"z": r"\Z", "Z": r"(?=\n?\Z)", "e": r"\x1b", "v": f"[{_VERTICAL}]"}
_ESCAPES_IN_CLASS = {"e": r"\x1b", "v": _VERTICAL}
_NO_COUNTERPART = "CGKNVXgkoRc"


def translated(text: str) -> str:
    """PHP's `/^[a-z]+$/i` as `(?ai)^[a-z]+$`. Raises ValueError with the reason for what has no such form."""
    pattern, flags = _parts(text)
    if unknown := sorted(set(flags) - set(_FLAGS + _WITHOUT_EFFECT + "AD")):
        raise ValueError(f"the flag {unknown[0]} has no counterpart here")
    # Without `u` PHP takes \w, \d and [[:alpha:]] for ASCII.
    inline = ("" if "u" in flags else "a") + "".join(one for one in _FLAGS if one in flags)
    found = "".join(_tokens(pattern, ends_hard="D" in flags and "m" not in flags))
    found = rf"\A(?:{found})" if "A" in flags else found
    found = f"(?{inline}){found}" if inline else found
    if (problem := pattern_problem(found)) is not None:
        raise ValueError(problem)
    return found


def _parts(text: str) -> tuple[str, str]:
    """The pattern between its delimiters, and its flags. One without delimiters is taken as it is."""
    text = text.strip()
    end = _PARTNERS.get(text[:1], text[:1])
    if not end or end.isalnum() or end in "\\^":
        return text, "u"
    body, found, flags = text[1:].rpartition(end)
    if not found or not (flags == "" or flags.isalpha()):
        return text, "u"
    return body, flags


def _tokens(pattern: str, *, ends_hard: bool) -> list[str]:
    found: list[str] = []
    in_class = False
    for token in _TOKEN.finditer(pattern):
        kind, text = str(token.lastgroup or "quoted"), token[0]
        if kind == "quoted":
            found.append(re.escape(token["quoted"]))
        elif kind == "hex":
            found.append(re.escape(chr(int(token["hex"], 16))))
        elif kind == "escaped":
            found.append(_escaped(token["escaped"], in_class))
        elif kind == "open" and in_class:
            found.append(r"\[" + text[1:])
            in_class = not text.endswith("]")
        elif kind == "open":
            found.append(text)
            in_class = True
        elif kind == "call" and not in_class:
            raise ValueError(f"{text} has no counterpart here")
        elif text == "]":
            found.append(text)
            in_class = False
        elif text == "{" and not in_class and pattern[token.end() : token.end() + 1] == ",":
            raise ValueError("{, means something else in PHP")
        else:
            found.append(r"\Z" if text == "$" and ends_hard and not in_class else text)
    return found


def _escaped(letter: str, in_class: bool) -> str:
    if letter in _NO_COUNTERPART:
        raise ValueError(rf"\{letter} has no counterpart here")
    return (_ESCAPES_IN_CLASS if in_class else _ESCAPES).get(letter, "\\" + letter)
