"""How far a zip file may unpack before it is taken for an attack."""

from __future__ import annotations

import zipfile
from collections.abc import Collection

_TOTAL = 2 << 30  # bytes, uncompressed; the largest sheet Excel can open stays below
_RATIO = 400  # repetitive sheets reach about 60
_RATIO_FREE = 1 << 24  # below this size a ratio harms nobody

TOO_FAR = (
    f"unpacks to far more than a workbook holds (the limit is {_TOTAL >> 30} GB in all and "
    f"{_RATIO} times the packed size), which is how attacks look; it is not opened: if you trust where it "
    "comes from, open it in Excel and save it anew"
)


def unpacks_too_far(entries: Collection[zipfile.ZipInfo]) -> bool:
    """By what the entries say of themselves: one that holds more is for its reader to refuse."""
    return sum(entry.file_size for entry in entries) > _TOTAL or any(
        entry.file_size > max(_RATIO_FREE, _RATIO * entry.compress_size) for entry in entries
    )
