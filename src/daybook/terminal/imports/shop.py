"""A shop's file with its progress and its summary."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from daybook.app import App
from daybook.errors import InvalidValue
from daybook.importing.rows import Entry
from daybook.importing.shop.cells import ShopOptions, checked
from daybook.importing.shop.format import ShopFormat, decoded, named
from daybook.importing.shop.read import parents_in, read
from daybook.terminal.imports import progress
from daybook.terminal.options import CommonOptions


def take(
    common: CommonOptions, file: Path, options: ShopOptions, form: str | None, report: Path | None, *, dry_run: bool
) -> None:
    """Imports the file, or plans to. Raises ImportRefused with nothing written; RowsNotTaken after the summary."""
    chosen = None if form is None else _chosen(form)
    options = checked(options)

    def entries(app: App) -> Iterable[Entry]:
        return read(file, app.reader.reference(), options, parents_in(app.book), chosen)

    progress.run(common, "import:shop", entries, progress.lines_of_file(str(file)), report, dry_run=dry_run)


def _chosen(form: str) -> ShopFormat:
    if not form.endswith(".json"):
        return named(form)
    try:
        return decoded(Path(form).read_bytes(), form)
    except OSError as error:
        raise InvalidValue("format", f"{form} can't be read: {error.strerror}", form) from error
