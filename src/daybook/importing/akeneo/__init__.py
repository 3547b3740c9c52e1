"""Reading Akeneo PIM's CSV export: a folder of files, `;` between cells, UTF-8."""

from daybook.importing.akeneo.options import AkeneoOptions
from daybook.importing.akeneo.reader import read

__all__ = ["AkeneoOptions", "read"]
