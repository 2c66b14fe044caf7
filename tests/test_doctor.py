"""`holdwater doctor` against what the machine itself says."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

from holdwater import doctor
from holdwater.cli import main
from holdwater.doctor import Finding, findings
from holdwater.hosts import calc

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who has installed nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOLDWATER_STORE", str(tmp_path / "store.db"))


def found(what: str) -> Finding:
    (one,) = [finding for finding in findings() if finding.what == what]
    return one


def test_it_tells_the_truth_about_python() -> None:
    assert platform.python_version() in found("Python").found
    assert sys.executable in found("Python").found
    said = subprocess.run([sys.executable, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    assert found("Python").found.startswith(said)


def test_it_tells_the_truth_about_every_package() -> None:
    for extra, packages in doctor.EXTRAS.items():
        told = found(f"Extra {extra}")
        for package in packages:
            assert f"{package} {metadata.version(package)}" in told.found
        assert not told.fault


def test_it_looks_at_the_packages_that_the_extras_bring() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra, packages in doctor.EXTRAS.items():
        assert [text.partition(">=")[::2] for text in extras[extra]] == list(packages.items())


@pytest.mark.parametrize(
    ("here", "fault"), [("0.26.9", "too old: httpx 0.26.9 (0.27 needed)"), ("0.27", ""), ("1.0b2", ""), ("?", "")]
)
def test_a_package_that_is_too_old_is_a_fault(monkeypatch: pytest.MonkeyPatch, here: str, fault: str) -> None:
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda package: here if package == "httpx" else real(package))
    told = found("Extra sync")
    assert told.fault == fault
    assert told.remedy == ("pip install 'holdwater[sync]'" if fault else "")


@pytest.mark.parametrize(("gone", "fault"), [({"duckdb"}, "missing: duckdb"), (set(doctor.EXTRAS["sync"]), "")])
def test_an_extra_that_is_half_there_is_a_fault_and_one_that_is_not_is_none(
    monkeypatch: pytest.MonkeyPatch, gone: set[str], fault: str
) -> None:
    real = metadata.version

    def version(package: str) -> str:
        if package in gone:
            raise metadata.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(metadata, "version", version)
    told = found("Extra sync")
    assert told.fault == fault
    assert told.remedy == "pip install 'holdwater[sync]'"


def test_it_tells_the_truth_about_libreoffice() -> None:
    program = shutil.which("soffice")
    if program is None:
        assert found("LibreOffice").found == "not found"
        pytest.skip("LibreOffice is not installed (soffice): only that is told")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    told = found("LibreOffice")
    assert told.found == f"{said} ({program})"
    assert not told.fault
    assert found("Calc add-in").found == "not installed"


def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    program = tmp_path / "office" / "program" / "soffice"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    for beside in ("fundamentalrc", "pythonloader.py"):
        program.with_name(beside).touch()
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


@pytest.mark.skipif(sys.platform == "win32", reason="the office that is made here is a shell script")
@pytest.mark.parametrize(
    ("says", "fault"),
    [
        ("LibreOffice 24.8.4.2 480", "25.2 or later"),
        ("LibreOffice 7.4.7.2 40", "25.2 or later"),
        ("LibreOffice 25.2.0.1 1", ""),
        ("LibreOffice 26.8.1.1 1", ""),
        ("", "does not tell"),
    ],
)
def test_an_office_that_is_too_old_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, fault: str
) -> None:
    office(tmp_path, monkeypatch, says)
    told = found("LibreOffice")
    assert fault in told.fault
    assert bool(told.fault) == bool(fault) == bool(told.remedy)


@pytest.mark.skipif(sys.platform != "linux", reason="the folder is that of Linux")
def test_it_knows_the_add_in_of_calc_and_an_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the office itself puts an extension that is added."""
    office(tmp_path, monkeypatch, "LibreOffice 25.2.3.2 520")
    folder = tmp_path / "config/libreoffice/4/user/uno_packages/cache/uno_packages/lu1.tmp_/holdwater.oxt"
    calc.build(tmp_path / "holdwater.oxt")
    with zipfile.ZipFile(tmp_path / "holdwater.oxt") as packed:
        packed.extractall(folder)
    other = folder.parents[1] / "lu0.tmp_" / "other.oxt"
    other.mkdir(parents=True)
    (other / "description.xml").write_text('<description><identifier value="org.example"/></description>')
    assert found("Calc add-in") == Finding("Calc add-in", f"current ({folder})")
    changed = folder / "pythonpath/holdwater/formula.py"
    changed.write_text(changed.read_text() + "\n")
    assert "another Holdwater" in found("Calc add-in").fault
    changed.unlink()
    assert "another Holdwater" in found("Calc add-in").fault


@pytest.mark.skipif(sys.platform != "linux", reason="the folder is that of Linux")
def test_it_knows_the_add_in_that_was_installed_for_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office(tmp_path, monkeypatch, "LibreOffice 25.2.3.2 520")
    folder = tmp_path / "office/share/uno_packages/cache/uno_packages/lu1.tmp_/holdwater.oxt"
    calc.build(tmp_path / "holdwater.oxt")
    with zipfile.ZipFile(tmp_path / "holdwater.oxt") as packed:
        packed.extractall(folder)
    link = tmp_path / "bin" / "soffice"  # as distributions put it on the PATH
    link.parent.mkdir()
    link.symlink_to(tmp_path / "office" / "program" / "soffice")
    monkeypatch.setenv("PATH", str(link.parent), prepend=":")
    assert found("Calc add-in") == Finding("Calc add-in", f"current ({folder})")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the office has its Python built in")
def test_an_office_without_python_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian keeps that part in a package of its own."""
    office(tmp_path, monkeypatch, "LibreOffice 25.2.3.2 520")
    assert not found("LibreOffice").fault
    (tmp_path / "office" / "program" / "pythonloader.py").unlink()
    told = found("LibreOffice")
    assert "without its Python" in told.fault
    assert "python3-uno" in told.remedy


@pytest.mark.parametrize("variable", ["HOLDWATER_STORE", "XDG_CONFIG_HOME"])
def test_a_place_that_may_not_be_looked_at_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    """Made by hand: whoever runs the tests may be allowed everything."""
    closed = tmp_path / "closed"
    monkeypatch.setenv(variable, str(closed / "store.db"))
    real = os.stat

    def stat(path: Any, *given: Any, **named: Any) -> os.stat_result:
        if str(path).startswith(str(closed)):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *given, **named)

    monkeypatch.setattr(os, "stat", stat)
    assert main(["doctor"]) == 0
    if variable == "HOLDWATER_STORE":
        assert "Permission denied" in found("Store").fault


def test_somebody_without_a_home_is_told_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOLDWATER_STORE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    assert "HOLDWATER_STORE" in found("Store").remedy
    if shutil.which("soffice"):
        assert found("Calc add-in").fault


def test_no_remedy_names_a_file_that_only_the_checkout_has() -> None:
    assert not [finding for finding in findings() if "docs/" in finding.remedy]


class Kept(KeyringBackend):
    priority = -1  # never chosen by the keyring library itself, which looks at every class of this kind that is loaded

    def get_password(self, service: str, username: str) -> None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("nothing is written")


def test_it_tells_which_keyring_there_is() -> None:
    before = keyring.get_keyring()
    try:
        keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]  # keyring's
        assert "HOLDWATER_HUBSPOT_TOKEN" in found("Keyring").remedy
        keyring.set_keyring(null.Keyring())  # type: ignore[no-untyped-call]  # keyring's
        assert found("Keyring").fault  # it takes everything and keeps nothing
        keyring.set_keyring(Kept())  # type: ignore[no-untyped-call]  # keyring's
        assert found("Keyring") == Finding("Keyring", f"{__name__}.Kept")
    finally:
        keyring.set_keyring(before)


def test_it_looks_into_the_store_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    assert found("Store").found == f"none yet ({path})"
    assert not path.exists()
    from holdwater.store.database import Store

    Store.open(path).close()
    assert str(path) in found("Store").found
    assert found("Connection").remedy == "holdwater sync"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    assert found("Store").fault


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDWATER_HUBSPOT_TOKEN", "a-secret-token")
    assert main(["doctor", "--json"]) == 0
    as_json = capsys.readouterr().out
    assert [finding["what"] for finding in json.loads(as_json)] == [finding.what for finding in findings()]
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    for finding in findings():
        assert finding.found in text
        assert finding.fault in text
        assert finding.remedy in text
    assert "a-secret-token" not in text + as_json


def test_faults_are_marked_and_counted() -> None:
    text = doctor.as_text([Finding("A", "good"), Finding("Bcd", "bad", "it is broken", "mend it")])
    assert text.splitlines() == ["  A    good", "! Bcd  bad", "       it is broken", "       mend it", "", "1 fault."]
    assert doctor.as_text([Finding("A", "good")]).endswith("\n\nNo fault found.")


@pytest.mark.parametrize(
    ("installed", "current", "fault", "remedy"),
    [
        (False, False, "", "holdwater excel install"),
        (True, False, "built for another", "holdwater excel install"),
        (True, True, "", ""),
    ],
)
def test_on_windows_it_looks_at_the_add_in_of_excel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool, current: bool, fault: str, remedy: str
) -> None:
    from holdwater.hosts import excel

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(doctor, "_excel_version", lambda: "Excel.Application.16")
    monkeypatch.setattr(excel, "status", lambda: excel.Status(tmp_path / "holdwater.xlam", installed, current))
    version, addin = doctor._excel()
    assert version.found == "Excel.Application.16"
    assert fault in addin.fault
    assert bool(addin.fault) == bool(fault)
    assert addin.remedy == remedy
