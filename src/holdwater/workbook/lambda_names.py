"""Our functions in any workbook: LAMBDA names that Excel 365 computes with no Python installed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import holdwater.bucket  # noqa: F401  # its functions register themselves
from holdwater.formula import registry
from holdwater.translate import lambda_text
from holdwater.workbook.names import DefinedName
from holdwater.workbook.package import Package

_TOKEN = re.compile(
    r'(?P<text>"(?:[^"]|"")*")|(?<![\w.])(?P<number>\d+\.?\d*(?:E[+-]?\d+)?)|\s+|(?:(?<=TRUE)|(?<=FALSE))\(\)',
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_MARK = re.compile(r"\(Holdwater ([0-9a-f]{8})\)$")


@dataclass(frozen=True, slots=True)
class Named:
    """What became of our names in a workbook; `left` tells why one was not touched."""

    path: Path
    changed: bool  # False: nothing was written
    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    still_called: tuple[str, ...] = ()  # sheets with cells that call a removed function
    names_that_call: tuple[str, ...] = ()  # names of the workbook that do
    macros: bool = False  # VBA may define functions of the same names, which is not looked into


@cache
def lambda_names() -> dict[str, DefinedName]:
    """By name: each function that has a LAMBDA text, with the help that Excel shows while it is typed."""
    names: dict[str, DefinedName] = {}
    for name, formula in registry.items():
        if not formula.python_only:
            text = lambda_text(formula.function)
            help_ = f"{formula.signature}: {formula.description}"
            names[name] = DefinedName(name, text, f"{help_} (Holdwater {_fingerprint(text)})")
    return names


def add_names(path: Path) -> Named:
    """Put our names into the workbook at `path`; only the names in xl/workbook.xml change.

    What the workbook calls by one of our names stays as it is. Raises WorkbookError or WorkbookLockedError where the
    file cannot be read or written; the file is then as it was.
    """
    package = Package.open(path)
    taken = _taken(package)
    standing = {name.name.casefold(): name for name in package.names() if name.sheet is None}
    added, updated, kept, left = list[str](), list[str](), list[str](), list[str]()
    for name, ours in lambda_names().items():
        theirs = standing.get(name.casefold())
        if theirs is None and name.casefold() in taken:
            left.append(f"{name} is {taken[name.casefold()]}")
        elif theirs is None:
            added.append(name)
        elif _plain(theirs.text) == _plain(ours.text):
            kept.append(name)
        elif _is_ours(theirs, ours):
            updated.append(name)
        else:
            left.append(f"{name} is {_another(theirs)}")
    package.change_names(put=[lambda_names()[name] for name in (*added, *updated)])
    return Named(
        package.path,
        package.save(),
        added=tuple(added),
        updated=tuple(updated),
        kept=tuple(kept),
        left=tuple(left),
        macros=package.has_macros,
    )


def remove_names(path: Path) -> Named:
    """Take our names out again, those of earlier releases too; a name that a person wrote or changed stays."""
    package = Package.open(path)
    ours = lambda_names()
    removed, left = list[str](), list[str]()
    for name in package.names():
        known = ours.get(name.name.upper())
        if name.sheet is not None:
            continue
        if _is_ours(name, known):
            removed.append(name.name)
        elif known is not None:
            left.append(f"{name.name} is {_another(name)}")
    if not removed:
        return Named(package.path, changed=False, left=tuple(left))
    package.change_names(drop=removed)
    calls = _calls(removed)
    sheets = [s for s in package.sheets() if any(calls(cell.formula or "") for cell in package.read_cells(s))]
    names = [name.name for name in package.names() if calls(name.text)]
    return Named(
        package.path,
        package.save(),
        removed=tuple(removed),
        left=tuple(left),
        still_called=tuple(sheets),
        names_that_call=tuple(names),
    )


def _taken(package: Package) -> dict[str, str]:
    """What else in the workbook bears a name that a function would want, and what it is."""
    taken = {table.name.casefold(): f"a table on the sheet {table.sheet}" for table in package.tables().values()}
    for name in package.names():
        if name.sheet is not None:
            taken[name.name.casefold()] = f"a name of the sheet {name.sheet}"
    return taken


def _another(name: DefinedName) -> str:
    if _MARK.search(name.comment):
        return "Holdwater's, but was changed since"
    return "a name of this workbook already"


def _is_ours(name: DefinedName, known: DefinedName | None) -> bool:
    """Whether we wrote this very text: today's, or one whose fingerprint its comment holds.

    What a person changed is theirs; but Calc drops comments and writes `lambda`, which Excel may not know.
    """
    mark = _MARK.search(name.comment)
    if mark is not None and mark[1] == _fingerprint(name.text):
        return True
    return known is not None and _fingerprint(name.text) == _fingerprint(known.text)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(_plain(text).casefold().encode()).hexdigest()[:8]


@cache
def _plain(text: str) -> str:
    """The text without what a program may change when it saves: blanks, how a number is written, TRUE or TRUE()."""

    def plain(match: re.Match[str]) -> str:
        return repr(float(match["number"])) if match["number"] else match["text"] or ""

    return _TOKEN.sub(plain, text)


def _calls(names: Iterable[str]) -> Callable[[str], bool]:
    """Whether a formula calls one of these; what it only quotes is no call."""
    called = "|".join(map(re.escape, names))
    call = re.compile(rf"(?<![\w.])(?:{called})\(", re.IGNORECASE)
    return lambda formula: bool(call.search(_QUOTED.sub('""', formula)))
