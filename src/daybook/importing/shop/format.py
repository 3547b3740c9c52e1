"""What the columns of a shop's file mean: formats are files of data, which people may copy and change."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from daybook.errors import InvalidValue
from daybook.importing.rows import Fault, ImportRefused

FOLDER = Path(__file__).with_name("formats")
_TARGET = re.compile(
    r"sku|group|gtin|published|status|stock|image|images|variant_image|id|kind|parent"
    r"|price(\.[\w-]+)?|text\.\w+|measure\.\w+\.\w+|axis\.\w+|option(\d+|\\1)\.(name|value)"
)


class ShopFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """How one kind of file is read."""

    name: str
    grouping: Literal["handle", "kind", "item"]
    """What belongs together: lines of one handle; lines that name their kind and parent; items of one group."""
    needs: tuple[tuple[str, ...], ...]
    """A file that has all columns of one of these is of this format."""
    columns: Mapping[str, str]
    """Column -> what it says, in any case of letters."""
    patterns: Mapping[str, str] = {}
    """The same for columns with a number in their name, as regular expressions."""
    words: Mapping[str, Mapping[str, Any]] = {}
    """What it says -> cell -> what the cell means."""
    writes: Mapping[str, str] = {}
    """Column -> what it says, in the order in which an export writes them; none for a format that is only read."""
    writes_options: Mapping[str, str] = {}
    """The same for the columns of each option, with its number for `{}`."""
    plain: tuple[str, ...] = ()
    """Values of an option that stand for none."""

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {name.casefold(): target for name, target in self.columns.items()}

    def target(self, column: str) -> str | None:
        """What a column says; None for one that this format does not understand."""
        found = self._folded.get(column.casefold())
        if found is not None:
            return found
        for pattern, target in self.patterns.items():
            if (match := re.fullmatch(pattern, column, re.IGNORECASE)) is not None:
                return match.expand(target)
        return None

    def word(self, target: str, cell: str) -> Any:
        """What the cell means; None for a word that the format does not know."""
        known = self.words.get(target, {})
        return next((known[one] for one in map(str.strip, cell.casefold().split(",")) if one in known), None)


def decoded(text: bytes, name: str) -> ShopFormat:
    """A format of one's own. Raises InvalidValue naming what is wrong."""
    try:
        found = msgspec.json.decode(text, type=ShopFormat)
        patterns = [re.compile(one).groups for one in found.patterns]
    except (msgspec.DecodeError, re.error, RecursionError, UnicodeDecodeError) as error:
        raise InvalidValue("format", f"{name}: {error}", None) from error
    wrong = [one for one in (*found.columns.values(), *found.patterns.values()) if not _TARGET.fullmatch(one)]
    if wrong or any(groups != 1 for groups in patterns):
        reason = f"{name}: {wrong[0]!r} is nothing that a column says" if wrong else f"{name}: a pattern has one group"
        raise InvalidValue("format", reason, None)
    return found


def known() -> dict[str, ShopFormat]:
    """The formats that come with the program, by the name that one types."""
    return {path.stem: decoded(path.read_bytes(), path.stem) for path in sorted(FOLDER.glob("*.json"))}


def named(name: str) -> ShopFormat:
    """A format that comes with the program. Raises InvalidValue."""
    there = known()
    if name not in there:
        raise InvalidValue("format", f"there is no format {name!r}; there are {', '.join(there)}", name)
    return there[name]


def recognised(file: str, header: Sequence[str], chosen: ShopFormat | None = None) -> ShopFormat:
    """The format of a file with these columns: the one that was chosen, or the only one that it can be.

    Raises ImportRefused: a format is never guessed.
    """
    there = {name.casefold() for name in header}
    formats = [chosen] if chosen is not None else list(known().values())
    found = [one for one in formats if any({name.casefold() for name in needed} <= there for needed in one.needs)]
    if len(found) == 1:
        return found[0]
    if found:
        reason = f"may be {' or '.join(one.name for one in found)}: say which by --format"
    else:
        wanted = "; ".join(f"{one.name} has {' or '.join(', '.join(some) for some in one.needs)}" for one in formats)
        reason = f"is of no format that is known here. {wanted}. A sheet with a column sku is for `daybook edit`"
    raise ImportRefused([Fault(file, 1, reason)])
