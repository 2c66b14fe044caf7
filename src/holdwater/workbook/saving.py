"""Replacing a file all at once, and keeping away from one that another program has open."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from holdwater.errors import WorkbookError, WorkbookLockedError


def refuse_if_open_elsewhere(path: Path) -> None:
    """`WorkbookLockedError` while Excel's or LibreOffice's lock file lies beside the workbook."""
    for lock, program in ((f"~${path.name}", "Excel"), (f".~lock.{path.name}#", "LibreOffice")):
        if path.with_name(lock).exists():
            raise WorkbookLockedError(
                f"{path} is open in {program}: close it in {program} and run again "
                f"(if nobody has it open, {program} crashed once: delete {lock} beside it)."
            )


def replace_file(path: Path, write: Callable[[BinaryIO], None], like: Path) -> None:
    """Put what `write` writes at `path`, all of it or nothing; the permissions are those of `like`, its origin."""
    if path.exists() and not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise _not_writable(path)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path if path.exists() else like, temporary)
        os.replace(temporary, path)
        temporary = None
    except PermissionError:
        raise _not_writable(path) from None
    except OSError as error:
        raise WorkbookError(
            f"{path} could not be written ({error.strerror}), and is as it was: make room on its disk and run again."
        ) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
    _flush_folder(path.parent)


def keep_copy(path: Path, folder: Path, now: datetime) -> Path:
    """Copy the file into the folder under its name and the time, never over another one; where the copy is."""
    numbers = itertools.count(2)
    ending = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            kept = folder / f"{path.stem} {now.astimezone(UTC):%Y-%m-%d %H.%M.%S}{ending}{path.suffix}"
            try:
                with kept.open("xb") as copy, path.open("rb") as original:
                    try:
                        shutil.copyfileobj(original, copy)
                        copy.flush()
                        os.fsync(copy.fileno())
                    except OSError:
                        kept.unlink(missing_ok=True)
                        raise
            except FileExistsError:
                ending = f" ({next(numbers)})"
                continue
            shutil.copymode(path, kept)
            _flush_folder(folder)
            return kept
    except OSError as error:
        raise WorkbookError(
            f"No backup could be kept in {folder} ({error.strerror}), so {path} was left as it was: give --backup"
            " a folder that can be written."
        ) from None


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a power failure, where the system lets a folder be flushed."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _not_writable(path: Path) -> WorkbookLockedError:
    return WorkbookLockedError(
        f"{path} may not be written: close it wherever it is open, or allow writing to it and its folder, "
        "and run again."
    )
