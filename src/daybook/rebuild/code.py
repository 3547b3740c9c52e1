"""What a generation is made with: the installed code, or code in a folder that nobody has installed (a what-if)."""

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import msgspec

from daybook.channel.contract import Manifest
from daybook.errors import BadConfiguration


class Code(msgspec.Struct, frozen=True):
    """A manifest and where it came from. `origin` is None for installed code."""

    manifest: Manifest
    origin: str | None = None

    @property
    def fingerprint(self) -> str:
        """Equal for equal source: of the folders that fold and render come from, the manifest's facets and version.

        What these folders import from elsewhere is not looked at: raise the version when that changes what they give.
        """
        manifest = self.manifest
        mark = hashlib.blake2b(repr((manifest.name, manifest.version, manifest.facets)).encode(), digest_size=16)
        folders = {_folder(manifest.fold), _folder(manifest.render)}
        if self.origin is not None:
            path = Path(self.origin)
            folders = {str(path if path.is_dir() else path.parent), *folders}
        for folder in sorted(filter(None, folders)):
            for file in sorted(Path(folder).glob("*.py")):
                mark.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        return mark.hexdigest()


def _folder(function: object) -> str | None:
    code = getattr(function, "__code__", None)
    return str(Path(code.co_filename).parent) if code is not None else None


def package_of(manifest: Manifest) -> str:
    """The package that a manifest's rendering lives in, `daybook_projections.east`."""
    name = getattr(manifest.render, "__module__", "")
    module = sys.modules.get(name)
    return name if module is not None and hasattr(module, "__path__") else name.rpartition(".")[0]


def load(path: str | Path, package: str) -> Code:
    """The code in a folder (or one file) as if it were the package: its manifest, without installing anything.

    Hazard: the folder's modules import one another by their full names, `daybook_projections.east.mapping`; while they
    are loaded, that name must lead here and not to what is installed. What is installed is put back afterwards. Modules
    that are imported later, inside of functions, are therefore the installed ones.
    """
    where = Path(path).resolve()
    file = where / "__init__.py" if where.is_dir() else where
    if not file.is_file():
        raise BadConfiguration(f"{where} is no folder with an __init__.py and no Python file", path=str(where))
    with _stand_in(package):
        try:
            module = _loaded(package, file, where)
        except Exception as error:
            raise BadConfiguration(f"the code in {where} can't be loaded: {error!r}", path=str(where)) from error
    manifest = getattr(module, "manifest", None)
    if not isinstance(manifest, Manifest):
        raise BadConfiguration(f"{file} has no `manifest`: a channel's folder gives one in its __init__.py")
    return Code(manifest, str(where))


def _loaded(package: str, file: Path, where: Path) -> ModuleType:
    places = [str(where)] if where.is_dir() else None
    spec = importlib.util.spec_from_file_location(package, file, submodule_search_locations=places)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[package] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def _stand_in(package: str) -> Iterator[None]:
    def mine(name: str) -> bool:
        return name == package or name.startswith(f"{package}.")

    installed = {name: module for name, module in sys.modules.items() if mine(name)}
    parent, _, last = package.rpartition(".")
    before = getattr(sys.modules.get(parent), last, None) if parent else None
    for name in installed:
        del sys.modules[name]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for name in [name for name in sys.modules if mine(name)]:
            del sys.modules[name]
        sys.modules.update(installed)
        if before is not None:
            setattr(sys.modules[parent], last, before)
