"""A virtual environment for each peer we are measured against, with the pins that peer needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
BUILT = Path(__file__).parents[1] / "build" / "peers"


def peer_python(name: str) -> Path:
    """The Python of the peer whose pins stand in peers/<name>.txt; installed on first use and when the pins change."""
    pins = PEERS / f"{name}.txt"
    place = BUILT / name
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    installed = place / "installed.txt"
    if not installed.exists() or installed.read_text() != pins.read_text():
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", str(pins)], check=True)
        installed.write_text(pins.read_text())
    return python
