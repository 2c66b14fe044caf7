"""`holdwater doctor`: what is installed where, and what to do about each fault."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import holdwater
from holdwater.errors import HoldwaterError, SetupError
from holdwater.hosts import calc, calc_texts
from holdwater.store.place import default_path

# The packages that each extra brings, and the version of each that it needs, as pyproject.toml has them.
EXTRAS = {
    "models": {"numpy": "1.26"},
    "sync": {
        "httpx": "0.27",
        "pydantic": "2.7",
        "stamina": "25.2",
        "keyring": "25",
        "openpyxl": "3.1",
        "ibis-framework": "10",
        "packaging": "23",
        "rich": "13",
        "duckdb": "1.1",
    },
    "excel": {"XlsxWriter": "3.2", "xlwings": "0.37.8", "pyOpenVBA": "6.5"},
}
_CALC_NEEDED = (25, 2)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fault` says what is wrong with it, "" if nothing is; `remedy` what to do.

    What may be missing is no fault where it is; `remedy` then says how to get it.
    """

    what: str
    found: str
    fault: str = ""
    remedy: str = ""


def findings() -> list[Finding]:
    """Everything, from the interpreter outwards."""
    return [
        Finding("System", platform.platform()),
        Finding("Python", f"{platform.python_version()} ({sys.executable})"),
        Finding("Holdwater", f"{holdwater.__version__} ({Path(holdwater.__file__).parent})"),
        *_packages(),
        *_looked("Excel add-in", _excel, "run this as the person who uses Excel"),
        *_looked("LibreOffice", _libreoffice, "start it by hand and see what it says"),
        *_looked("Calc add-in", _calc_addin, "run this as the person who uses Calc"),
        *_looked("Keyring", _keyring, "see what `python -m keyring diagnose` says"),
        *_looked("Store", _store, "set HOLDWATER_STORE to a file that you may read and write"),
    ]


def _looked(what: str, look: Callable[[], Iterable[Finding]], remedy: str) -> Iterator[Finding]:
    try:
        yield from look()
    except Exception as error:  # one thing that cannot be looked at is a finding, and no end
        yield Finding(what, "cannot be looked at", str(error) or type(error).__name__, remedy)


def as_text(found: list[Finding]) -> str:
    """A line for each, faults marked, with what to do below."""
    width = max(len(finding.what) for finding in found)
    lines: list[str] = []
    for finding in found:
        lines.append(f"{'!' if finding.fault else ' '} {finding.what:<{width}}  {finding.found}")
        lines += [f"  {'':<{width}}  {text}" for text in (finding.fault, finding.remedy) if text]
    faults = sum(bool(finding.fault) for finding in found)
    return "\n".join([*lines, "", f"{faults} {'fault' if faults == 1 else 'faults'}." if faults else "No fault found."])


def _packages() -> Iterator[Finding]:
    for extra, packages in EXTRAS.items():
        versions = {package: _version(package) for package in packages}
        shown = ", ".join(f"{package} {version}" for package, version in versions.items() if version)
        missing = ", ".join(package for package, version in versions.items() if not version)
        old = ", ".join(
            f"{package} {versions[package]} ({needed} needed)"
            for package, needed in packages.items()
            if _numbers(versions[package]) < _numbers(needed) and _numbers(versions[package])
        )
        remedy = f"pip install 'holdwater[{extra}]'" if missing or old else ""
        # An extra of which nothing is there was not asked for.
        faults = (f"missing: {missing}" if missing and shown else "", f"too old: {old}" if old else "")
        yield Finding(f"Extra {extra}", shown or "not installed", "; ".join(filter(None, faults)), remedy)


def _version(package: str) -> str:
    try:
        return metadata.version(package) or ""
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> list[int]:
    found = re.match(r"\d+(\.\d+)*", version)
    return [int(number) for number in found[0].split(".")] if found else []


def _excel() -> Iterator[Finding]:
    if sys.platform != "win32":
        remedy = "holdwater lite and holdwater names give Excel the formulas elsewhere"
        yield Finding("Excel add-in", "for Windows only", remedy=remedy)
        return
    yield Finding("Excel", _excel_version() or "not found")
    try:
        from holdwater.hosts import excel

        now = excel.status()
    except ImportError as error:
        fault = f"{error.name} is missing"
        yield Finding("Excel add-in", "cannot be looked at", fault, "pip install 'holdwater[excel]'")
        return
    except SetupError as error:
        yield Finding("Excel add-in", "cannot be built here", str(error))
        return
    if not now.installed:
        yield Finding("Excel add-in", f"not installed ({now.path})", remedy="holdwater excel install")
    elif not now.current:
        fault = "it was built for another Holdwater or Python"
        yield Finding("Excel add-in", str(now.path), fault, "holdwater excel install")
    else:
        yield Finding("Excel add-in", f"current ({now.path})")


def _excel_version() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, r"Excel.Application\CurVer") as key:
            return str(winreg.QueryValue(key, None))
    except OSError:
        return ""


def _libreoffice() -> Iterator[Finding]:
    program = _soffice()
    if program is None:
        yield Finding("LibreOffice", "not found")
        return
    try:
        done = subprocess.run(  # noqa: S603  # the office that is installed here
            [program, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
        shown = done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        shown = ""
    version = re.search(r"(\d+)\.(\d+)", shown)
    if version is None:
        yield Finding("LibreOffice", program, "it does not tell its version", "start it by hand and see what it says")
        return
    fault = remedy = ""
    if (int(version[1]), int(version[2])) < _CALC_NEEDED:
        fault, remedy = "the add-in needs 25.2 or later", "install a newer LibreOffice"
    elif _lacks_python(Path(program).resolve().parent):
        fault, remedy = "it is without its Python, which the add-in needs", "install the package python3-uno"
    yield Finding("LibreOffice", f"{shown} ({program})", fault, remedy)


def _lacks_python(folder: Path) -> bool:
    """Some distributions of Linux keep it apart; where the folder is not laid out as usual, nothing is said."""
    usual = sys.platform == "linux" and (folder / "fundamentalrc").exists()
    return usual and not (folder / "pythonloader.py").exists()


def _soffice() -> str | None:
    usual = {
        "win32": [Path(os.environ.get(name, "")) / "LibreOffice/program/soffice.exe" for name in ("PROGRAMFILES",)],
        "darwin": [Path("/Applications/LibreOffice.app/Contents/MacOS/soffice")],
    }.get(sys.platform, [])
    return shutil.which("soffice") or next((str(path) for path in usual if path.is_file()), None)


def _calc_addin() -> Iterator[Finding]:
    program = _soffice()
    if program is None:
        return
    build = "holdwater calc build holdwater.oxt, then add that in Calc: Tools > Extensions"
    for description in _extensions(program):
        if f'value="{calc_texts.IDENTIFIER}"' not in description.read_text(encoding="utf-8", errors="replace"):
            continue
        folder = description.parent
        try:
            same = all((folder / path).read_bytes() == content for path, content in calc.contents().items())
        except OSError:
            same = False
        if same:
            yield Finding("Calc add-in", f"current ({folder})")
        else:
            yield Finding("Calc add-in", str(folder), "it is of another Holdwater", build)
        return
    yield Finding("Calc add-in", "not installed", remedy=build)


def _extensions(program: str) -> list[Path]:
    """The descriptions of what this person has added to the office, then of what was added for everybody."""
    shared = Path(program).resolve().parents[1] / "share"
    added = "uno_packages/cache/uno_packages/*/*/description.xml"
    return [*sorted((_profile() / "user").glob(added)), *sorted(shared.glob(added))]


def _profile() -> Path:
    """Where LibreOffice keeps what a person has added."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "")) / "LibreOffice" / "4"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "LibreOffice" / "4"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "libreoffice" / "4"


def _keyring() -> Iterator[Finding]:
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        yield Finding("Keyring", "not installed", remedy="pip install 'holdwater[sync]'")
        return
    backend = keyring.get_keyring()
    name = f"{type(backend).__module__}.{type(backend).__qualname__}"
    if isinstance(backend, (fail.Keyring, null.Keyring)):
        remedy = "keep the token in an environment variable, such as HOLDWATER_HUBSPOT_TOKEN"
        yield Finding("Keyring", f"none on this machine ({name})", "there is no place for tokens", remedy)
    else:
        yield Finding("Keyring", name)


def _store() -> Iterator[Finding]:
    path = default_path()
    if not path.exists():
        yield Finding("Store", f"none yet ({path})", remedy="holdwater sync makes it")
        return
    try:
        from holdwater.store.database import Store

        with Store.open(path) as store:
            connections = list(store.connections())
    except ImportError as error:
        yield Finding("Store", str(path), f"{error.name} is missing", "pip install 'holdwater[sync]'")
    except HoldwaterError as error:
        yield Finding("Store", str(path), str(error), "move it away and sync again, if it cannot be mended")
    else:
        yield Finding("Store", f"{path}, {path.stat().st_size / 1e6:,.1f} MB")
        for connection in connections:
            yield Finding("Connection", str(connection))
        if not connections:
            yield Finding("Connection", "nothing was synced yet", remedy="holdwater sync")
