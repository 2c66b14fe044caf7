"""Published data for the fitted models."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data files of the lifetimes wheel: CDNOW among them, whose own licence is unclear, so it is never shipped."""
    place = Path(__file__).parents[2] / "build" / "data"
    if not list(place.glob("[Ll]ifetimes-0.11.3-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "lifetimes==0.11.3"]
        got = subprocess.run([*command, "--dest", str(place)], capture_output=True, text=True, check=False)
        if got.returncode != 0:
            reason = "the lifetimes wheel with the CDNOW data could not be downloaded"
            if os.environ.get("CI") == "true":
                pytest.fail(f"{reason}: {got.stderr}")
            pytest.skip(reason)
    (wheel,) = place.glob("[Ll]ifetimes-0.11.3-*.whl")
    folder = tmp_path_factory.mktemp("lifetimes")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder / "lifetimes" / "datasets"
