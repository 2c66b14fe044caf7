"""Where the store lives when nobody says."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def default_path() -> Path:
    """`$HOLDWATER_STORE`, else `holdwater.db` in the user's data directory of this platform."""
    if chosen := os.environ.get("HOLDWATER_STORE"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or "")
        if not base.is_absolute():  # the XDG rule: a relative one is ignored
            base = Path.home() / ".local" / "share"
    return base / "holdwater" / "holdwater.db"
