"""`holdwater excel`: the add-in for Excel on Windows, built on the machine that it will run on.

Its macros name the Python that built it, by its path, and the library of the installed xlwings, so that Excel finds
both without any setting.
"""

from __future__ import annotations

import io
import os
import sys
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from holdwater.errors import SetupError, WorkbookError, WorkbookLockedError
from holdwater.hosts.cells import functions
from holdwater.hosts.excel_wrapper import Interpreter, modules
from holdwater.whole_file import put

FILE = "holdwater.xlam"
RIBBON_PART = "customUI/customUI.xml"
RIBBON = """\
<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<customUI xmlns="http://schemas.microsoft.com/office/2006/01/customui">
  <ribbon>
    <tabs>
      <tab id="HoldwaterTab" label="Holdwater">
        <group id="HoldwaterGroup" label="This workbook">
          <button id="HoldwaterRefreshButton" label="Refresh" size="large" imageMso="RefreshAll"
              screentip="Write the newest numbers into this workbook" onAction="HoldwaterRefresh"/>
          <button id="HoldwaterVerdictButton" label="Verdict" size="large" imageMso="AcceptInvitation"
              screentip="Would more leads help at all?" onAction="HoldwaterVerdict"/>
        </group>
      </tab>
    </tabs>
  </ribbon>
</customUI>
"""
_RELATIONSHIPS = "_rels/.rels"
_RELATIONSHIP = (
    '<Relationship Id="rIdHoldwater" Target="customUI/customUI.xml"'
    ' Type="http://schemas.microsoft.com/office/2006/relationships/ui/extensibility"/>'
)


@dataclass(frozen=True, slots=True)
class Status:
    """`path` is where Excel loads the add-in from; `current`: it is what this Holdwater and Python would build."""

    path: Path
    installed: bool
    current: bool


def interpreter() -> Interpreter:
    """The Python that runs this, with its xlwings; SetupError where Excel could not start it."""
    try:
        version = metadata.version("xlwings")
    except metadata.PackageNotFoundError:
        raise SetupError("xlwings is not installed: run pip install 'holdwater[excel]'.") from None
    library = f"xlwings64-{version}.dll"
    found = [Path(str(file.locate())).resolve() for file in metadata.files("xlwings") or [] if file.name == library]
    folder = next((file.parent for file in found if file.exists()), Path(sys.prefix))
    if sys.platform == "win32" and not (folder / library).exists():
        raise SetupError(f"{library} is not in {folder}: run pip install --force-reinstall xlwings.")
    ours = Interpreter(sys.executable, str(folder), version)
    if any(sign in ours.python for sign in ('"', "$(", "%")) or not _ansi(ours.command) or len(ours.command) > 2000:
        raise SetupError(
            f"Excel cannot start the Python at {ours.python}: install it in a folder with a short path of plain"
            " letters."
        )
    return ours


def _ansi(text: str) -> bool:
    """Whether the old Windows call that starts the process can spell it."""
    try:
        text.encode("mbcs" if sys.platform == "win32" else "cp1252")
    except UnicodeEncodeError:
        return False
    return True


def build(out: Path, ours: Interpreter | None = None) -> None:
    """Write the add-in, all of it or nothing; WorkbookError if it cannot be written."""
    if out.suffix.lower() != ".xlam":
        raise WorkbookError(f"{out} is no name for an add-in of Excel: let it end in .xlam.")
    sources = modules(functions(), ours or interpreter())
    with TemporaryDirectory(prefix="holdwater-") as scratch:
        bare = Path(scratch) / FILE
        _write_macros(bare, sources)
        content = _with_ribbon(bare)
    try:
        put(out, content)
    except PermissionError:
        raise WorkbookLockedError(f"{out} cannot be replaced: close Excel, then run this again.") from None
    except OSError as error:
        raise WorkbookError(f"{out} cannot be written: {error.strerror}; give another place.") from None


def _write_macros(path: Path, sources: dict[str, str]) -> None:
    from pyopenvba import ExcelFile

    with ExcelFile.create_new(path) as book:
        project = book.vba_project()
        project.delete_module("Module1")
        for name, source in sources.items():
            project.add_module(name, source)
        book.save()


def _with_ribbon(path: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(path) as bare, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as whole:
        for entry in bare.infolist():
            content = bare.read(entry)
            if entry.filename == _RELATIONSHIPS:
                end = b"</Relationships>"
                content = content.replace(end, _RELATIONSHIP.encode() + end)
            whole.writestr(entry, content, zipfile.ZIP_DEFLATED)
        whole.writestr(RIBBON_PART, RIBBON)
    return packed.getvalue()


def place() -> Path:
    """Where Excel loads add-ins from when it starts; SetupError where there is no such Excel."""
    if sys.platform != "win32":
        raise SetupError(
            "This add-in is for Excel on Windows: on a Mac or the web use holdwater lite, in LibreOffice holdwater"
            " calc; holdwater names gives any Excel 365 most formulas."
        )
    if "\\windowsapps\\" in sys.base_prefix.casefold():  # Windows would put the file where only that Python sees it
        raise SetupError(
            "Python from the Microsoft Store cannot write where Excel looks for add-ins: install Python from"
            " python.org and Holdwater with it, then run this again there."
        )
    roaming = os.environ.get("APPDATA")
    if not roaming:
        raise SetupError(
            "APPDATA is not set, so Excel's folder XLSTART cannot be found: run this as the person who uses it."
        )
    return Path(roaming) / "Microsoft" / "Excel" / "XLSTART" / FILE


def install() -> Path:
    """Build the add-in where Excel finds it; its path."""
    path = place()
    ours = interpreter()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{path.parent} cannot be made: {error.strerror}.") from None
    build(path, ours)
    return path


def uninstall() -> bool:
    """Take it out again; whether it was there."""
    path = place()
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except PermissionError:
        raise WorkbookLockedError(f"{path} cannot be removed: close Excel, then run this again.") from None
    return True


def status() -> Status:
    path = place()
    return Status(path, path.exists(), path.exists() and is_current(path))


def is_current(path: Path) -> bool:
    """Whether this add-in holds what would be built now."""
    from pyopenvba import ExcelFile

    wanted = modules(functions(), interpreter())
    try:
        with ExcelFile(path) as book:
            found = book.vba_modules()
    except Exception:  # whatever is wrong with the file, it is not what would be built
        return False
    return all(found.get(name) == source for name, source in wanted.items())
