"""One headless LibreOffice Calc with a fresh profile and, if wanted, an add-in."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).with_name("calc_driver.py")


class CalcError(Exception):
    """Calc could not do what it was told."""


class Calc:
    """A running Calc; `ask` names a method of the driver."""

    def __init__(self, driver: subprocess.Popen[str]) -> None:
        self._driver = driver

    def ask(self, what: str, *arguments: Any) -> Any:
        assert self._driver.stdin
        self._driver.stdin.write(json.dumps([what, arguments]) + "\n")
        self._driver.stdin.flush()
        said = json.loads(_line_of(self._driver))
        if "fault" in said:
            raise CalcError(said["fault"])
        return said["answer"]

    def computed(self, path: Path, typed: Sequence[str] = ()) -> dict[str, Any]:
        """The formula cells by `Sheet!A1`, those typed at `Typed!A1` and below; an error as its text, such as #NUM!."""
        cells: dict[str, Any] = self.ask("computed", str(path), list(typed))
        return {place: value["error"] if isinstance(value, dict) else value for place, value in cells.items()}


@contextmanager
def running_calc(folder: Path, add_ins: Sequence[Path] = ()) -> Iterator[Calc]:
    """Calc with these .oxt files as if they had been installed, until the block ends."""
    program, python = shutil.which("soffice"), _python_of_the_office()
    if program is None or python is None:
        missing = "LibreOffice is not installed (soffice)" if program is None else "no Python has LibreOffice's uno"
        if os.environ.get("CI"):
            pytest.fail(f"CI installs LibreOffice and its Python; {missing}")
        pytest.skip(missing)
    bundled = folder / "bundled"
    bundled.mkdir()
    for add_in in add_ins:
        with zipfile.ZipFile(add_in) as packed:
            packed.extractall(bundled / add_in.stem)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [program, profile, f"-env:BUNDLED_EXTENSIONS={bundled.as_uri()}", "--headless", "--norestore"]
    pipe = f"holdwater{secrets.token_hex(6)}"
    # The Python inside soffice takes the first python3 of the PATH for its own: never that of a virtual environment.
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))} | {"PATH": os.defpath}
    # In groups of their own, so that the programs that soffice itself starts end with it.
    with (
        _ended(
            subprocess.Popen(
                [*command, f"--accept=pipe,name={pipe};urp"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=bare,
                start_new_session=True,
            )
        ),
        _ended(
            subprocess.Popen(
                [python, str(DRIVER), pipe],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=bare,
                start_new_session=True,
            )
        ) as driver,
    ):
        assert json.loads(_line_of(driver)) == "ready"
        calc = Calc(driver)
        yield calc
        calc.ask("quit")


def _line_of(driver: subprocess.Popen[str], patience: float = 300) -> str:
    """What the driver says next; an office that hangs or is gone is a fault, not a wait without end."""
    assert driver.stdout
    end_it = threading.Timer(patience, driver.kill)
    end_it.start()
    try:
        line = driver.stdout.readline()
    finally:
        end_it.cancel()
    if not line:
        raise CalcError(f"LibreOffice gave no answer within {patience:g} s, or ended")
    return line


@contextmanager
def _ended(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """Whatever happens, it and what it started are gone afterwards."""
    with process:
        try:
            yield process
            process.wait(20)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _python_of_the_office() -> str | None:
    for python in ("/usr/bin/python3", shutil.which("python3")):
        if python and subprocess.run([python, "-c", "import uno"], capture_output=True).returncode == 0:
            return python
    return None
