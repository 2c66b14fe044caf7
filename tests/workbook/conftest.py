"""Real LibreOffice Calc, without any add-in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""

Calc = Callable[..., Path]


@pytest.fixture(scope="session")
def calc(tmp_path_factory: pytest.TempPathFactory) -> Calc:
    """Opens a file in a fresh profile of Calc that computes every formula, and gives the file saved by Calc."""
    if shutil.which("soffice") is None:
        if os.environ.get("CI"):
            pytest.fail("CI installs LibreOffice; it is not there")
        pytest.skip("LibreOffice is not installed (soffice)")
    profile = tmp_path_factory.mktemp("calc")
    (profile / "user").mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE)

    def saved(book: Path, kind: str = "xlsx") -> Path:
        made = book.parent / "calc" / f"{book.stem}.{kind}"
        command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", kind]
        subprocess.run([*command, "--outdir", made.parent, book], check=True, capture_output=True, timeout=180)
        assert made.is_file(), "Calc ends well even when it wrote nothing"
        return made

    return saved
