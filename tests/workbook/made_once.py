"""The workbook that many tests begin with: made once, and every test has its own copy."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from holdwater.workbook.template import write_template


def template(path: Path, typed: Mapping[str, float]) -> Path:
    """Holdwater's workbook with this typed, at `path`."""
    path.write_bytes(_made(tuple(typed.items())))
    return path


@cache
def _made(typed: tuple[tuple[str, float], ...]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "leads.xlsx"
        write_template(path, dict(typed))
        return path.read_bytes()
