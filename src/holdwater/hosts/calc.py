"""`holdwater calc build`: the add-in for LibreOffice Calc, one file that holds everything it needs.

The same sources give the same bytes, so that the committed build can be checked.
"""

from __future__ import annotations

import io
import zipfile
from importlib import metadata
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

import holdwater
from holdwater.errors import WorkbookError
from holdwater.hosts import calc_texts
from holdwater.hosts.cells import PACKAGES, functions
from holdwater.whole_file import put

MODULE = "calc_addin.py"
_THE_SAME_DAY = (1980, 1, 1, 0, 0, 0)


def contents() -> dict[str, bytes]:
    """The files of the add-in, by their paths in it."""
    package, catalogue = Path(holdwater.__file__).parent, dict(sorted(functions().items()))
    texts = {
        "META-INF/manifest.xml": calc_texts.manifest(),
        "description.xml": calc_texts.description(holdwater.__version__),
        "description.txt": f"{holdwater.__doc__}\n".partition("\n")[0] + "\n",
        "holdwater.components": calc_texts.components(MODULE),
        "holdwater.idl": calc_texts.interface(catalogue),
        "CalcAddIns.xcu": calc_texts.configuration(catalogue),
        "methods.txt": calc_texts.methods(catalogue),
    }
    files = {path: text.encode() for path, text in texts.items()}
    files[MODULE] = (package / "hosts" / MODULE).read_bytes()
    files["LICENSE"] = _licence(package)
    for path in _needed(package):
        files[f"pythonpath/{path.relative_to(package.parent).as_posix()}"] = path.read_bytes()
    return files


def build(out: Path) -> None:
    """Write the add-in, all of it or nothing; WorkbookError if it cannot be written."""
    if out.suffix.lower() != ".oxt":
        raise WorkbookError(f"{out} is no name for an add-in of Calc: let it end in .oxt.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as container:
        for path, content in contents().items():
            entry = zipfile.ZipInfo(path, _THE_SAME_DAY)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # on Windows too
            container.writestr(entry, content, zipfile.ZIP_DEFLATED)
    try:
        put(out, packed.getvalue())
    except OSError as error:
        raise WorkbookError(f"{out} cannot be written: {error.strerror}; give another place.") from None


def _licence(package: Path) -> bytes:
    """Of the checkout, or of the installed package, which keeps it beside its metadata."""
    beside = package.parents[1] / "LICENSE"
    if package.parent.name != "src" or not beside.exists():
        found = [file for file in metadata.files("holdwater") or () if file.name == "LICENSE"]
        beside = Path(str(found[0].locate()))
    return beside.read_bytes()


def _needed(package: Path) -> list[Path]:
    """The modules that a cell needs, found by following the imports, also those that wait for a call."""
    # Arrays of NumPy, which the translations serve, never come out of a cell.
    finder = _OurModules([str(package.parent)], excludes=["holdwater.translate"])
    for start in ("holdwater.hosts.cells", *PACKAGES):
        finder.import_hook(start)
    return sorted(Path(vars(module)["__file__"]) for module in finder.modules.values())


class _OurModules(ModuleFinder):
    """Follows the imports of this package's own modules only."""

    def import_hook(self, name: str, *others: Any, **named: Any) -> Any:
        return super().import_hook(name, *others, **named) if name.startswith("holdwater") else None
